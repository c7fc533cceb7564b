package org.latentspark.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.latentspark.averaging.RoundReport;
import org.latentspark.tensor.FileSystems;

/**
 * The run's {@code metrics.jsonl}: one report a line.
 *
 * <p>Object stores cannot append, so the file is written whole, at most every few seconds. Lines of
 * rounds that a failure cost, and half a line that it left, are dropped when the run goes on.
 */
final class MetricsLog {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long WRITE_NANOS = 5_000_000_000L;

  private final Path path;
  private final FileSystem fileSystem;
  private final List<String> lines = new ArrayList<>();
  private long written;

  MetricsLog(Path run, Configuration configuration, long roundsDone) throws IOException {
    path = new Path(run, "metrics.jsonl");
    fileSystem = FileSystems.of(path, configuration);
    if (fileSystem.exists(path)) {
      try (BufferedReader reader =
          new BufferedReader(
              new InputStreamReader(fileSystem.open(path), StandardCharsets.UTF_8))) {
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
          if (round(line) <= roundsDone) {
            lines.add(line);
          }
        }
      }
    }
  }

  /** Returns a line's round, or the largest number for half a line of a run that was killed. */
  private static long round(String line) {
    try {
      return JSON.readTree(line).path("round").asLong(Long.MAX_VALUE);
    } catch (JsonProcessingException e) {
      return Long.MAX_VALUE;
    }
  }

  /** Adds a report, which is on disk a few seconds later. */
  synchronized void add(RoundReport report) {
    try {
      lines.add(JSON.writeValueAsString(report));
      if (System.nanoTime() - written > WRITE_NANOS) {
        write();
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot write " + path, e);
    }
  }

  /** Writes what is not on disk yet. */
  synchronized void flush() {
    try {
      write();
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot write " + path, e);
    }
  }

  /** Writes the lines up to a round; later ones are of an attempt that failed. */
  synchronized void keep(long roundsDone) throws IOException {
    lines.removeIf(line -> round(line) > roundsDone);
    write();
  }

  private void write() throws IOException {
    try (OutputStream out = fileSystem.create(path, true)) {
      out.write((String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8));
    }
    written = System.nanoTime();
  }
}
