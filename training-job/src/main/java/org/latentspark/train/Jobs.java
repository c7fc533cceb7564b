package org.latentspark.train;

import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;

/** What the training verbs do alike around their run. */
final class Jobs {
  private Jobs() {}

  /** Starts the job's Spark session with what barrier stages need. */
  static SparkSession spark(String name) {
    SparkConf conf = new SparkConf().setAppName("latentspark " + name);
    conf.setIfMissing("spark.master", "local[2]");
    return SparkSession.builder().config(conf).getOrCreate();
  }
}
