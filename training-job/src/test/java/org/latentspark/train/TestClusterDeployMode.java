package org.latentspark.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.graph.TinyUNet;
import org.latentspark.tensor.Natives;

/**
 * The scripts and the application jars on the cluster that {@code scripts/cluster} starts, with the
 * settings of conf/spark, so with authentication and encryption, and the driver on the cluster.
 */
@Tag("packaged")
@Tag("slow")
@Timeout(900)
class TestClusterDeployMode {
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
  private static final long SEED = 20261123;

  @TempDir private static Path folder;
  private static String port;

  @BeforeAll
  static void startCluster() throws Exception {
    Natives.load();
    TinyDataset.write(folder.resolve("pairs"), 60, 4, SEED);
    Files.writeString(folder.resolve("unet.json"), TinyUNet.CONFIG);
    Files.createDirectories(folder.resolve("events"));
    Files.writeString(
        folder.resolve("site.conf"),
        """
        spark.authenticate.secret  known to this cluster only
        spark.eventLog.dir  %s
        spark.ui.enabled  false
        spark.driver.host  127.0.0.1
        spark.driver.memory  1g
        spark.executor.memory  1g
        spark.executor.cores  1
        spark.executor.defaultJavaOptions  -Dorg.bytedeco.javacpp.cachedir=%s
        """
            .formatted(folder.resolve("events").toUri(), folder.resolve("natives")));
    Files.writeString(
        folder.resolve("train.conf"),
        """
        workers = 2
        batch-size = 2
        steps = 20
        precision = fp32
        averaging.frequency = 5
        checkpoint.every-rounds = 2
        """);
    port = freePort();
    run(0, "cluster", "start", "port=" + port, "ui-port=" + freePort(), "cores=2", "memory=3g");
  }

  @AfterAll
  static void stopCluster() throws Exception {
    run(0, "cluster", "stop");
  }

  @Test
  void driverOnTheClusterFindsFilesOfTheSubmitterAndNativesAreUnpackedOnce() throws Exception {
    run(0, "train", "--conf", "train.conf", "dataset=pairs", "model=unet.json", "output=run");
    assertThat(folder.resolve("run/checkpoints/step-000000020/checkpoint.json")).isNotEmptyFile();
    // Two executors, on what is one machine, came to an empty cache at once.
    assertThat(named("CoarseGrainedExecutorBackend", "stderr")).hasSizeGreaterThanOrEqualTo(2);
    assertThat(named("", "libtorch_cpu.so")).hasSize(1);
    assertThat(named("The trained model is", "stdout")).as("the driver's output").hasSize(1);
  }

  @Test
  void failureOfTheDriverComesBack() throws Exception {
    run(1, "verify", "dataset=missing");
    assertThat(named("verify: .*missing is not an encoded dataset", "stderr")).hasSize(1);
  }

  /** Runs a script in the folder, with relative paths, and expects an exit code. */
  private static void run(int code, String script, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(ROOT.resolve("scripts/" + script).toString()));
    command.addAll(List.of(arguments));
    Path log = folder.resolve(script + ".log");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());
    Path spark = ROOT.resolve("conf/spark");
    builder
        .environment()
        .putAll(
            Map.of(
                "LATENTSPARK_CLUSTER",
                folder.resolve("cluster").toString(),
                "LATENTSPARK_MASTER",
                "spark://127.0.0.1:" + port,
                "LATENTSPARK_DEPLOY_MODE",
                "cluster",
                "LATENTSPARK_DRIVER_MEMORY",
                "1g",
                "LATENTSPARK_SPARK_CONF",
                "%s/common.conf %1$s/standalone.conf site.conf".formatted(spark)));
    Process process = builder.start();
    boolean ended = process.waitFor(10, TimeUnit.MINUTES);
    process.destroyForcibly();
    assertThat(ended).as("%s ends; %s", script, Files.readString(log)).isTrue();
    assertThat(process.exitValue())
        .as(() -> "exit code of " + script + "; " + text(log) + named("", "stderr"))
        .isEqualTo(code);
  }

  /** Returns the files of a name below the folder in which a pattern is found. */
  private static List<Path> named(String pattern, String name) {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(file -> file.getFileName().toString().equals(name) && Files.isRegularFile(file))
          .filter(file -> pattern.isEmpty() || text(file).matches("(?s).*" + pattern + ".*"))
          .toList();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }

  private static String freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return Integer.toString(socket.getLocalPort());
    }
  }
}
