package org.latentspark.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.latentspark.averaging.RoundReport;
import org.latentspark.tensor.CompleteFile;

/**
 * The run's {@code metrics.jsonl}: one report a line.
 *
 * <p>Object stores cannot append, so the file is replaced, at most every few seconds. Lines of
 * rounds that a failure cost are dropped when the run goes on, and half a line that a disk left.
 */
final class MetricsLog {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long WRITE_NANOS = 5_000_000_000L;

  private final Path path;
  private final Configuration configuration;
  private final List<String> lines = new ArrayList<>();
  private long written;

  MetricsLog(Path run, Configuration configuration, long roundsDone) throws IOException {
    path = new Path(run, "metrics.jsonl");
    this.configuration = configuration;
    CompleteFile.find(path, configuration)
        .ifPresent(
            bytes ->
                new String(bytes, StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> round(line) <= roundsDone)
                    .forEach(lines::add));
    CompleteFile.sweep(path, configuration);
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
    byte[] text = (String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8);
    CompleteFile.write(path, text, configuration);
    written = System.nanoTime();
  }
}
