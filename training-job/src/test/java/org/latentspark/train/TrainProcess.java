package org.latentspark.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** A verb in a process of its own, to be killed, with its executors where it has some. */
public final class TrainProcess implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofMinutes(15);

  private final Process process;
  private final Path folder;

  private TrainProcess(Process process, Path folder) {
    this.process = process;
    this.folder = folder;
  }

  /**
   * Starts the verb train.
   *
   * @param folder where the process runs and keeps its log
   * @param options of its JVM, beside those of this one
   */
  static TrainProcess start(Path folder, List<String> options, List<String> arguments)
      throws IOException {
    return start(folder, TrainJob.class, options, arguments);
  }

  /**
   * Starts a verb.
   *
   * @param folder where the process runs and keeps its log
   * @param options of its JVM, beside those of this one
   */
  public static TrainProcess start(
      Path folder, Class<?> verb, List<String> options, List<String> arguments) throws IOException {
    return start(folder, verb, options, arguments, Map.of());
  }

  /**
   * Starts a verb.
   *
   * @param folder where the process runs and keeps its log
   * @param options of its JVM, beside those of this one
   * @param environment variables beside those of this one
   */
  public static TrainProcess start(
      Path folder,
      Class<?> verb,
      List<String> options,
      List<String> arguments,
      Map<String, String> environment)
      throws IOException {
    Files.createDirectories(folder);
    String classPath = System.getProperty("java.class.path");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(options);
    command.add("-Dspark.ui.enabled=false");
    command.add("-Dspark.executor.extraClassPath=" + classPath);
    command.add("-Dspark.executor.extraJavaOptions=-Dorg.bytedeco.javacpp.maxPhysicalBytes=0");
    command.add("-Dspark.executorEnv.OMP_NUM_THREADS=1");
    command.add("-cp");
    command.add(classPath);
    command.add(verb.getName());
    command.addAll(arguments);
    // All classes come by the class path, so that Spark's home may be empty.
    Files.createDirectories(folder.resolve("spark-home/jars"));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("log").toFile());
    builder.environment().put("SPARK_HOME", folder.resolve("spark-home").toString());
    builder.environment().put("SPARK_SCALA_VERSION", "2.12");
    builder.environment().putAll(environment);
    return new TrainProcess(builder.start(), folder);
  }

  /** Waits for something that the run does. */
  public void await(String what, BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(process.isAlive()).as("run is alive, awaiting %s; %s", what, log()).isTrue();
      assertThat(System.nanoTime()).as("deadline of %s; %s", what, log()).isLessThan(end);
      Thread.sleep(5);
    }
  }

  /** Waits until {@code count} executors of a local cluster run and returns them, oldest first. */
  public List<ProcessHandle> awaitExecutors(int count) throws InterruptedException {
    await(count + " executors", () -> executors().size() >= count);
    return executors();
  }

  private List<ProcessHandle> executors() {
    return process
        .children()
        .filter(child -> child.info().command().orElse("").endsWith("java"))
        .sorted()
        .toList();
  }

  /** Kills the run with -9 and waits for its end. */
  public void kill() {
    kill(process.toHandle());
  }

  /** Kills a process with -9 and waits for its end. */
  static void kill(ProcessHandle process) {
    process.destroyForcibly();
    process.onExit().join();
  }

  /** Returns the stacks of a JVM's threads, or "" where it does not tell. */
  static String stacks(ProcessHandle jvm) {
    try {
      Process asked =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "jstack").toString(),
                  Long.toString(jvm.pid()))
              .redirectErrorStream(true)
              .start();
      return new String(asked.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      return "";
    }
  }

  /** Sends a signal, such as TERM, to a process. */
  static void signal(String name, long pid) throws Exception {
    int code = new ProcessBuilder("kill", "-" + name, Long.toString(pid)).start().waitFor();
    assertThat(code).as("exit code of kill -%s %s", name, pid).isZero();
  }

  long pid() {
    return process.pid();
  }

  /** Waits for the end and returns the exit code. */
  public int exitCode() throws InterruptedException {
    assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS))
        .as("run ends; %s", log())
        .isTrue();
    return process.exitValue();
  }

  public String log() {
    try {
      return Files.readString(folder.resolve("log"));
    } catch (IOException e) {
      return e.toString();
    }
  }

  /** Kills what is left. */
  @Override
  public void close() {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }
}
