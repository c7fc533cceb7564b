package org.latentspark.averaging;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Watches what this process and those that it started have in memory together, on Linux. */
final class ProcessMemory implements AutoCloseable {
  private static final long PERIOD_MILLIS = 200;
  private static final double KIBIBYTES = 1 << 20;

  private final Thread thread;
  private volatile boolean closed;
  private volatile long own;
  private volatile long files;

  private ProcessMemory() {
    thread = new Thread(this::look, "process-memory");
    thread.setDaemon(true);
  }

  /** Begins to watch. */
  static ProcessMemory watch() {
    ProcessMemory memory = new ProcessMemory();
    memory.thread.start();
    return memory;
  }

  /** Returns the most that was not backed by files. */
  double ownGibibytes() {
    return own / KIBIBYTES;
  }

  /** Returns the most that was, which the operating system may write out and drop. */
  double fileGibibytes() {
    return files / KIBIBYTES;
  }

  private void look() {
    try {
      while (!closed) {
        long ownNow = 0;
        long filesNow = 0;
        ProcessHandle self = ProcessHandle.current();
        for (ProcessHandle process : Stream.concat(Stream.of(self), self.descendants()).toList()) {
          List<String> lines = status(process.pid());
          ownNow += kibibytes(lines, "RssAnon:") + kibibytes(lines, "RssShmem:");
          filesNow += kibibytes(lines, "RssFile:");
        }
        own = Math.max(own, ownNow);
        files = Math.max(files, filesNow);
        Thread.sleep(PERIOD_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static List<String> status(long process) {
    try {
      return Files.readAllLines(Path.of("/proc", Long.toString(process), "status"));
    } catch (IOException e) {
      // It has ended meanwhile.
      return List.of();
    }
  }

  private static long kibibytes(List<String> lines, String name) {
    return lines.stream()
        .filter(line -> line.startsWith(name))
        .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
        .sum();
  }

  @Override
  public void close() {
    closed = true;
    thread.interrupt();
  }
}
