package org.latentspark.averaging;

import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkEnv;
import org.apache.spark.deploy.SparkHadoopUtil;

/** The settings of file systems, such as an object store's endpoint, wherever a task runs. */
public final class HadoopSettings {
  private HadoopSettings() {}

  /**
   * Returns Hadoop's settings with those given to Spark as {@code spark.hadoop.*}: executors know
   * the latter only by their Spark environment.
   */
  public static Configuration here() {
    SparkEnv environment = SparkEnv.get();
    SparkHadoopUtil hadoop = SparkHadoopUtil.get();
    return environment == null ? hadoop.conf() : hadoop.newConfiguration(environment.conf());
  }
}
