package org.latentspark.cli;

import org.apache.spark.SparkConf;
import org.apache.spark.serializer.JavaSerializer;
import org.apache.spark.sql.SparkSession;
import scala.Option;

/**
 * The Spark session of a verb, which ends with the verb that began it: a verb that runs as a part
 * of another, in the same process, works in the session that is there.
 *
 * <p>So a verb of several stages is one Spark application: its executors stay, and where Spark runs
 * the driver in the cluster, the application does not end with the first stage.
 */
public final class VerbSession implements AutoCloseable {
  private static final String REDACTION = "spark.redaction.regex";

  /**
   * What Spark hides in event logs and in its pages, by a setting's name: what it hides by default,
   * the names that environment variables have, and the keys of other stores and of encryption.
   */
  private static final String SECRETS =
      "(?i)secret|password|token|access[._]?key|(account|private|encryption)[._]key|webhook";

  private final SparkSession spark;
  private final boolean own;

  private VerbSession(SparkSession spark, boolean own) {
    this.spark = spark;
    this.own = own;
  }

  /** Returns settings for verbs that send records between driver and executors. */
  public static SparkConf settings(String verb) {
    return new SparkConf()
        .setIfMissing("spark.master", "local[*]")
        .setIfMissing("spark.app.name", "latentspark " + verb)
        .setIfMissing("spark.ui.showConsoleProgress", "false")
        // Kryo cannot send records, and a cluster's defaults may ask for it.
        .set("spark.serializer", JavaSerializer.class.getName());
  }

  /** Joins the session that this process has, or begins one; settings are only for a new one. */
  public static VerbSession open(SparkConf settings) {
    Option<SparkSession> there = SparkSession.getDefaultSession();
    if (there.isDefined() && !there.get().sparkContext().isStopped()) {
      return new VerbSession(there.get(), false);
    }
    String given = settings.get(REDACTION, "");
    settings.set(REDACTION, given.isEmpty() ? SECRETS : given + "|" + SECRETS);
    SparkSession spark = SparkSession.builder().config(settings).getOrCreate();
    spark.sparkContext().setLocalProperty(RunId.LOG_KEY, RunId.here());
    return new VerbSession(spark, true);
  }

  /** Returns the session. */
  public SparkSession spark() {
    return spark;
  }

  /** Ends the session where {@link #open} began it. */
  @Override
  public void close() {
    if (own) {
      spark.stop();
    }
  }
}
