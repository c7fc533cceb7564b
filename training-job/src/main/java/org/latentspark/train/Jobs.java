package org.latentspark.train;

import java.io.IOException;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkConf;
import org.apache.spark.serializer.KryoSerializer;
import org.apache.spark.sql.SparkSession;
import org.latentspark.tensor.OutputLease;
import org.latentspark.tensor.Shutdown;

/** What the training verbs do alike around their run. */
final class Jobs {
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
        SparkSession spark = spark(name);
        OutputLease lease =
            OutputLease.take(new Path(output), spark.sparkContext().hadoopConfiguration(), name)) {
      work.run(spark);
    }
  }

  private static SparkSession spark(String name) {
    SparkConf conf = new SparkConf().setAppName("latentspark " + name);
    conf.setIfMissing("spark.master", "local[2]");
    conf.setIfMissing("spark.serializer", KryoSerializer.class.getName());
    conf.setIfMissing("spark.kryo.registrator", TrainingRegistrator.class.getName());
    conf.setIfMissing("spark.kryo.registrationRequired", "true");
    // Spark looks for the slots of a barrier stage for ten minutes; the trainer knows better.
    conf.setIfMissing("spark.scheduler.barrier.maxConcurrentTasksCheck.interval", "2s");
    conf.setIfMissing("spark.scheduler.barrier.maxConcurrentTasksCheck.maxFailures", "3");
    return SparkSession.builder().config(conf).getOrCreate();
  }
}
