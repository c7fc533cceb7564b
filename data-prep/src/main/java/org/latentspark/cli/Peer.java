package org.latentspark.cli;

import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * The Python program that a benchmark runs beside this project.
 *
 * @param python the interpreter of the peer's virtual environment
 */
public record Peer(Path python) {
  /**
   * Reads the key {@code peer.venv}; it is refused if there is no interpreter in it.
   *
   * @param needs what to install in the virtual environment, for the message
   */
  public static Peer read(Settings settings, String needs) {
    Path python = Path.of(settings.string("peer.venv"), "bin", "python");
    if (!Files.isExecutable(python)) {
      settings.refuse(
          "peer.venv", "must be the folder of a Python virtual environment with " + needs);
    }
    return new Peer(python);
  }

  /**
   * Runs a script to its end and returns the last line that it writes.
   *
   * @param script class path resource
   * @throws IOException if it fails or takes longer than {@code minutes}
   */
  public String run(String script, int minutes, List<String> arguments)
      throws IOException, InterruptedException {
    Path file = Files.createTempFile("peer", ".py");
    Path output = Files.createTempFile("peer", ".log");
    try {
      try (InputStream in = Peer.class.getClassLoader().getResourceAsStream(script)) {
        Files.write(file, in.readAllBytes());
      }
      List<String> command = new ArrayList<>(List.of(python.toString(), file.toString()));
      command.addAll(arguments);
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      boolean ended = process.waitFor(minutes, TimeUnit.MINUTES);
      process.destroyForcibly();
      List<String> lines = Files.readAllLines(output, StandardCharsets.UTF_8);
      if (!ended || process.exitValue() != 0 || lines.isEmpty()) {
        throw new IOException("the peer failed: " + String.join("\n", lines));
      }
      return lines.get(lines.size() - 1);
    } finally {
      Files.deleteIfExists(file);
      Files.deleteIfExists(output);
    }
  }

  /** Returns this process' processor time, of all threads. */
  public static long processorNanos() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  /** Returns the line that ends a benchmark. */
  public static String result(String name, double ratio, double budget) {
    return String.format(Locale.ROOT, "bench=%s ratio=%.3f budget=%s", name, ratio, budget);
  }
}
