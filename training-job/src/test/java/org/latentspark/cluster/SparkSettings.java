package org.latentspark.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.mapred.JobConf;
import org.apache.spark.internal.config.ConfigEntry;
import org.apache.spark.internal.config.ConfigReader;
import org.apache.spark.sql.internal.SQLConf$;

/**
 * What Spark and Hadoop themselves know of settings: which there are, and which values they take.
 */
final class SparkSettings {
  /** Their classes hold the registered settings and register them when they are initialized. */
  private static final List<String> HOLDERS =
      List.of(
          "org.apache.spark.internal.config.package$",
          "org.apache.spark.internal.config.Deploy$",
          "org.apache.spark.internal.config.Kryo$",
          "org.apache.spark.internal.config.Network$",
          "org.apache.spark.internal.config.UI$",
          "org.apache.spark.deploy.yarn.config.package$");

  /** Settings that Spark reads by prefix and therefore registers nowhere. */
  private static final String PREFIXED =
      "spark\\.(executorEnv|yarn\\.appMasterEnv|kubernetes\\.driverEnv)\\.[A-Z_]+"
          + "|spark\\.kubernetes\\.(driver|executor)\\.secretKeyRef\\.[A-Z_]+"
          + "|spark\\.(executor|task)\\.resource\\.gpu\\.amount"
          + "|spark\\.executor\\.resource\\.gpu\\.(discoveryScript|vendor)"
          + "|spark\\.metrics\\.conf\\.\\*\\.sink\\.prometheusServlet\\.(class|path)"
          + "|spark\\.ssl\\.ui\\.(enabled|keyStore|keyStoreType|keyStorePassword|protocol)";

  /**
   * Those of Spark's page on Kubernetes that are in use here; its classes are not on Maven's path.
   */
  private static final Set<String> KUBERNETES =
      Set.of(
          "spark.kubernetes.container.image",
          "spark.kubernetes.namespace",
          "spark.kubernetes.authenticate.driver.serviceAccountName",
          "spark.kubernetes.driver.podTemplateFile",
          "spark.kubernetes.executor.podTemplateFile",
          "spark.kubernetes.file.upload.path",
          "spark.kubernetes.submission.waitAppCompletion");

  private static final String HADOOP = "spark.hadoop.";

  static {
    try {
      for (String holder : HOLDERS) {
        Class.forName(holder);
      }
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException("This is another Spark", e);
    }
  }

  private SparkSettings() {}

  /** Tells whether there is such a setting. */
  static boolean isKnown(String key) {
    if (key.startsWith(HADOOP)) {
      return hadoop().get(key.substring(HADOOP.length())) != null;
    }
    return ConfigEntry.findEntry(key) != null
        || SQLConf$.MODULE$.containsConfigKey(key)
        || KUBERNETES.contains(key)
        || key.matches(PREFIXED);
  }

  /** Has Spark read a value, if the setting is a registered one. */
  static void parse(String key, String value) {
    ConfigEntry<?> entry =
        key.startsWith("spark.sql.")
            ? SQLConf$.MODULE$.getConfigEntry(key)
            : ConfigEntry.findEntry(key);
    if (entry != null) {
      entry.readFrom(new ConfigReader(Map.of(key, value)));
    }
  }

  /** Returns what Hadoop has defaults for. */
  private static Configuration hadoop() {
    return new JobConf();
  }

  /** Returns the lines of a file of settings. */
  static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Returns the settings of a file in their order, each as key and value. */
  static List<Map.Entry<String, String>> of(Path file) {
    return lines(file).stream()
        .map(String::strip)
        .filter(line -> !line.isEmpty() && !line.startsWith("#"))
        .map(line -> line.split("\\s+", 2))
        .map(parts -> Map.entry(parts[0], parts.length > 1 ? parts[1] : ""))
        .toList();
  }
}
