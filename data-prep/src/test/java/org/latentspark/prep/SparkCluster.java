package org.latentspark.prep;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;

/** A standalone Spark cluster of a master and two workers with a core each, all real processes. */
final class SparkCluster implements AutoCloseable {
  private static final int WORKERS = 2;
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  private final Path folder;
  private final int port;
  private final List<Process> daemons = new ArrayList<>();

  private SparkCluster(Path folder, int port) {
    this.folder = folder;
    this.port = port;
  }

  static SparkCluster start(Path folder) throws Exception {
    SparkCluster cluster = new SparkCluster(folder, S3Server.freePort());
    // Executors take their classes from the test's class path; Spark only wants the folder.
    Files.createDirectories(folder.resolve("home/jars"));
    cluster.daemon(
        "org.apache.spark.deploy.master.Master",
        "--host",
        "127.0.0.1",
        "--port",
        Integer.toString(cluster.port),
        "--webui-port",
        "0");
    cluster.awaitMaster();
    for (int worker = 0; worker < WORKERS; worker++) {
      cluster.daemon(
          "org.apache.spark.deploy.worker.Worker",
          "--host",
          "127.0.0.1",
          "--webui-port",
          "0",
          "-c",
          "1",
          "-m",
          "2g",
          "-d",
          folder.resolve("worker-" + worker).toString(),
          cluster.master());
    }
    return cluster;
  }

  String master() {
    return "spark://127.0.0.1:" + port;
  }

  /** Returns the options of a driver's JVM. */
  List<String> options() {
    return List.of(
        "-Dspark.master=" + master(),
        "-Dspark.executor.memory=768m",
        "-Dspark.executor.cores=1",
        "-Dspark.executor.extraClassPath=" + System.getProperty("java.class.path"),
        "-Dspark.executorEnv.OMP_NUM_THREADS=1",
        "-Dspark.sql.shuffle.partitions=2",
        "-Dspark.driver.host=127.0.0.1",
        "-Dspark.driver.bindAddress=127.0.0.1",
        "-Dspark.locality.wait=0");
  }

  private void daemon(String main, String... arguments) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(option -> !option.startsWith("-Xmx"))
        .forEach(command::add);
    command.addAll(List.of("-Xmx192m", "-cp", System.getProperty("java.class.path"), main));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("SPARK_HOME", folder.resolve("home").toString());
    builder.environment().put("SPARK_SCALA_VERSION", "2.12");
    builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
    daemons.add(
        builder
            .redirectOutput(folder.resolve("daemon-%d.log".formatted(daemons.size())).toFile())
            .start());
  }

  private void awaitMaster() throws Exception {
    await(
        () -> {
          try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return true;
          } catch (IOException e) {
            return false;
          }
        });
  }

  private static void await(BooleanSupplier condition) throws Exception {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new IOException("the cluster does not come up");
      }
      Thread.sleep(50);
    }
  }

  /** Returns the executors, which are children of the workers. */
  List<ProcessHandle> executors() {
    return daemons.stream()
        .skip(1)
        .flatMap(worker -> worker.toHandle().children())
        .filter(ProcessHandle::isAlive)
        .toList();
  }

  @Override
  public void close() {
    executors().forEach(ProcessHandle::destroyForcibly);
    for (Process daemon : daemons) {
      daemon.destroyForcibly().onExit().join();
    }
  }
}
