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
import java.util.stream.Stream;

/** A standalone Spark cluster: a master and two machines with a core each, all real processes. */
public final class StandaloneCluster implements AutoCloseable {
  private static final int MACHINES = 2;
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  private final Path folder;
  private final int port;
  private final Process master;
  private final List<Process> machines = new ArrayList<>();
  private int daemons;

  private StandaloneCluster(Path folder) throws IOException {
    this.folder = folder;
    // Executors take their classes from the test's class path; Spark only wants the folder.
    Files.createDirectories(folder.resolve("home/jars"));
    port = S3Server.freePort();
    master =
        daemon(
            "org.apache.spark.deploy.master.Master",
            List.of("--host", "127.0.0.1", "--port", Integer.toString(port), "--webui-port", "0"));
  }

  /** Starts a cluster that keeps its logs and work in {@code folder}. */
  public static StandaloneCluster start(Path folder) throws Exception {
    StandaloneCluster cluster = new StandaloneCluster(folder);
    cluster.await(cluster::masterAnswers);
    for (int machine = 0; machine < MACHINES; machine++) {
      cluster.addMachine();
    }
    return cluster;
  }

  /** Returns the options of a driver's JVM, beside those that every driver here has. */
  public List<String> options() {
    return List.of(
        "-Dspark.master=spark://127.0.0.1:" + port,
        "-Dspark.executor.memory=1g",
        "-Dspark.executor.cores=1",
        "-Dspark.driver.host=127.0.0.1",
        "-Dspark.driver.bindAddress=127.0.0.1");
  }

  /** Adds a machine with a core to the cluster. */
  public void addMachine() throws IOException {
    machines.add(
        daemon(
            "org.apache.spark.deploy.worker.Worker",
            List.of(
                "--host",
                "127.0.0.1",
                "--webui-port",
                "0",
                "-c",
                "1",
                "-m",
                "1g",
                "-d",
                folder.resolve("machine-" + daemons).toString(),
                "spark://127.0.0.1:" + port)));
  }

  /** Takes a machine away at once, with its executors. */
  public void loseMachine() {
    Process machine = machines.remove(0);
    List<ProcessHandle> executors = machine.children().toList();
    machine.destroyForcibly().onExit().join();
    executors.forEach(ProcessHandle::destroyForcibly);
  }

  private Process daemon(String main, List<String> arguments) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(option -> !option.startsWith("-Xmx"))
        .forEach(command::add);
    command.addAll(List.of("-Xmx192m", "-cp", System.getProperty("java.class.path"), main));
    command.addAll(arguments);
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("SPARK_HOME", folder.resolve("home").toString());
    builder.environment().put("SPARK_SCALA_VERSION", "2.12");
    builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
    Path log = folder.resolve("daemon-" + daemons + ".log");
    daemons++;
    return builder.redirectOutput(log.toFile()).start();
  }

  private boolean masterAnswers() {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private void await(BooleanSupplier condition) throws Exception {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new IOException("The cluster is not ready; " + logs());
      }
      Thread.sleep(50);
    }
  }

  /** Returns the executors, oldest first; they are children of the machines' daemons. */
  public List<ProcessHandle> executors() {
    return machines.stream()
        .flatMap(Process::children)
        .filter(child -> child.info().command().orElse("").endsWith("java"))
        .sorted()
        .toList();
  }

  /** Waits until the executors of an earlier run are gone. */
  public void awaitIdle() throws Exception {
    await(() -> executors().isEmpty());
  }

  /** Returns what the daemons wrote. */
  public String logs() {
    StringBuilder logs = new StringBuilder();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.filter(path -> path.toString().endsWith(".log")).sorted().toList()) {
        logs.append(file.getFileName()).append(":\n").append(Files.readString(file));
      }
    } catch (IOException e) {
      logs.append(e);
    }
    return logs.toString();
  }

  @Override
  public void close() {
    executors().forEach(ProcessHandle::destroyForcibly);
    machines.forEach(machine -> machine.destroyForcibly().onExit().join());
    master.destroyForcibly().onExit().join();
  }
}
