package org.latentspark.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.yarn.conf.YarnConfiguration;
import org.apache.hadoop.yarn.server.MiniYARNCluster;
import org.apache.spark.deploy.SparkSubmit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.graph.TinyUNet;
import org.latentspark.tensor.Natives;

/**
 * Cluster deploy mode on YARN, with the settings of conf/spark: Hadoop's own resource manager and
 * node manager run in this JVM, driver and executors are containers of theirs.
 */
@Tag("slow")
@Timeout(1800)
class TestTrainOnYarn {
  private static final long SEED = 20261123;
  private static final Duration PATIENCE = Duration.ofMinutes(10);

  @TempDir private static Path folder;
  private static MiniYARNCluster cluster;

  @BeforeAll
  static void startCluster() throws Exception {
    Natives.load();
    TinyDataset.write(folder.resolve("pairs"), 60, 4, SEED);
    Files.writeString(folder.resolve("unet.json"), TinyUNet.CONFIG);
    Files.createDirectories(folder.resolve("events"));
    Files.createDirectories(folder.resolve("spark-home/jars"));
    try (OutputStream out = Files.newOutputStream(folder.resolve("empty.jar"))) {
      new JarOutputStream(out, new Manifest()).close();
    }
    // Where Hadoop's test cluster keeps its files.
    System.setProperty("test.build.data", folder.resolve("yarn").toString());
    Configuration conf = new YarnConfiguration();
    conf.setBoolean(YarnConfiguration.NM_PMEM_CHECK_ENABLED, false);
    conf.setBoolean(YarnConfiguration.NM_VMEM_CHECK_ENABLED, false);
    conf.setInt(YarnConfiguration.RM_SCHEDULER_MINIMUM_ALLOCATION_MB, 128);
    conf.setFloat(YarnConfiguration.NM_MAX_PER_DISK_UTILIZATION_PERCENTAGE, 100);
    conf.setInt("yarn.nodemanager.resource.memory-mb", 16 << 10);
    conf.setInt("yarn.minicluster.yarn.nodemanager.resource.memory-mb", 16 << 10);
    conf.set("yarn.scheduler.capacity.root.queues", "default");
    conf.set("yarn.scheduler.capacity.root.default.capacity", "100");
    conf.set("yarn.scheduler.capacity.maximum-am-resource-percent", "1");
    cluster = new MiniYARNCluster("latentspark-yarn", 1, 1, 1);
    cluster.init(conf);
    cluster.start();
    assertThat(cluster.waitForNodeManagersToConnect(PATIENCE.toMillis())).isTrue();
    Path hadoop = Files.createDirectories(folder.resolve("hadoop"));
    for (String name : List.of("core-site.xml", "yarn-site.xml")) {
      try (OutputStream out = Files.newOutputStream(hadoop.resolve(name))) {
        cluster.getConfig().writeXml(out);
      }
    }
  }

  @AfterAll
  static void stopCluster() {
    if (cluster != null) {
      cluster.stop();
    }
    System.clearProperty("test.build.data");
  }

  @Test
  void driverInAContainerTrainsAndItsFailuresComeBack() throws Exception {
    Files.writeString(
        folder.resolve("train.conf"), "workers = 2, steps = 10, batch-size = 2, precision = fp32");
    List<String> arguments =
        List.of(
            "model=" + folder.resolve("unet.json"),
            "averaging.frequency=5",
            "output=" + folder.resolve("run"));
    String log = submit(0, "good", arguments, "dataset=" + folder.resolve("pairs"));
    assertThat(log).contains("final status: SUCCEEDED");
    assertThat(folder.resolve("run/checkpoints/step-000000010/checkpoint.json")).isNotEmptyFile();

    log = submit(1, "bad", arguments, "dataset=" + folder.resolve("missing"));
    assertThat(log).contains("train ended with exit code 3");
  }

  /** Submits train as scripts/lib/run.sh does and returns what spark-submit wrote. */
  private static String submit(int code, String name, List<String> arguments, String dataset)
      throws Exception {
    String classPath = System.getProperty("java.class.path");
    Path settings = folder.resolve(name + ".conf");
    StringBuilder text = new StringBuilder();
    for (String file : List.of("common.conf", "yarn.conf")) {
      text.append(Files.readString(Path.of("..", "conf", "spark", file))).append('\n');
    }
    text.append(
        """
        spark.executor.instances  2
        spark.executor.cores  1
        spark.task.cpus  1
        spark.driver.cores  1
        spark.driver.memory  1g
        spark.driver.memoryOverhead  1g
        spark.executor.memory  1g
        spark.executor.memoryOverhead  1g
        spark.ui.enabled  false
        spark.eventLog.dir  %s
        spark.yarn.stagingDir  %s
        spark.yarn.jars  local:/none
        spark.driver.extraClassPath  %s
        spark.executor.extraClassPath  %3$s
        """
            .formatted(
                folder.resolve("events").toUri(), folder.resolve("staging").toUri(), classPath));
    Files.writeString(settings, text);
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(option -> !option.startsWith("-Xmx"))
        .forEach(command::add);
    command.addAll(
        List.of(
            "-Xmx512m",
            // What becomes of the application is told as information.
            "-Dlatentspark.log.level=info",
            "-cp",
            folder.resolve("hadoop") + ":" + classPath,
            SparkSubmit.class.getName(),
            "--master",
            "yarn",
            "--deploy-mode",
            "cluster",
            "--properties-file",
            settings.toString(),
            "--files",
            folder.resolve("train.conf").toString(),
            "--class",
            TrainJob.class.getName(),
            folder.resolve("empty.jar").toString(),
            "--conf",
            "train.conf",
            dataset));
    command.addAll(arguments);
    Path log = folder.resolve(name + ".log");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
    builder.environment().put("HADOOP_CONF_DIR", folder.resolve("hadoop").toString());
    builder.environment().put("SPARK_HOME", folder.resolve("spark-home").toString());
    builder.environment().put("SPARK_SCALA_VERSION", "2.12");
    Process process = builder.start();
    boolean ended = process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    process.destroyForcibly();
    String told = Files.readString(log);
    assertThat(ended).as("spark-submit ends; %s", told).isTrue();
    assertThat(process.exitValue()).as(() -> "exit code; " + told + containers()).isEqualTo(code);
    return told;
  }

  /** Returns what the containers wrote. */
  private static String containers() {
    StringBuilder text = new StringBuilder();
    try (Stream<Path> files = Files.walk(folder.resolve("yarn"))) {
      for (Path file : files.filter(path -> path.endsWith("stderr")).toList()) {
        text.append('\n').append(file).append(":\n").append(Files.readString(file));
      }
    } catch (IOException e) {
      text.append(e);
    }
    return text.toString();
  }
}
