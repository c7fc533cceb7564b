package org.latentspark.train;

import java.io.IOException;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkConf;
import org.apache.spark.serializer.KryoSerializer;
import org.apache.spark.sql.SparkSession;
import org.latentspark.cli.VerbSession;
import org.latentspark.tensor.OutputLease;
import org.latentspark.tensor.Shutdown;

/** What the training verbs do alike around their run. */
public final class Jobs {
  private Jobs() {}

  /** A verb's work. */
  interface Work {
    void run(SparkSession spark) throws IOException;
  }

  /**
   * Does a verb's work in a Spark session, holding the lease on the output; a JVM that is told to
   * end waits for its next place to stop.
   *
   * @throws org.latentspark.cli.HeldException when another run holds the output
   */
  static void run(String name, String output, Work work) throws IOException {
    try (Shutdown.Region region = Shutdown.enter();
        VerbSession session = VerbSession.open(trainingSettings(name));
        OutputLease lease =
            OutputLease.take(
                new Path(output), session.spark().sparkContext().hadoopConfiguration(), name)) {
      work.run(session.spark());
    }
  }

  /** Returns the settings of a session in which one trains among other things. */
  public static SparkConf settings(String verb) {
    return VerbSession.settings(verb)
        // Spark looks for the slots of a barrier stage for ten minutes; the trainer knows better.
        .setIfMissing("spark.scheduler.barrier.maxConcurrentTasksCheck.interval", "2s")
        .setIfMissing("spark.scheduler.barrier.maxConcurrentTasksCheck.maxFailures", "3");
  }

  /** Returns the settings of a session in which one does nothing but train. */
  private static SparkConf trainingSettings(String verb) {
    return settings(verb)
        .set("spark.serializer", KryoSerializer.class.getName())
        .setIfMissing("spark.kryo.registrator", TrainingRegistrator.class.getName())
        .setIfMissing("spark.kryo.registrationRequired", "true");
  }
}
