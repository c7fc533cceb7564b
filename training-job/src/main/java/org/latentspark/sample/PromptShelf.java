package org.latentspark.sample;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.latentspark.tensor.CompleteFile;
import org.latentspark.tensor.FileSystems;

/**
 * The prompts of a run beside its output while it goes on, a thousand a file, so that a task reads
 * those of its pictures and neither the driver nor a task ever holds all.
 */
final class PromptShelf {
  /** The folder under the output; it goes with the end of the run. */
  static final String FOLDER = "_work";

  private static final int ROWS = 1000;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path folder;
  private final Configuration configuration;

  PromptShelf(Path output, Configuration configuration) {
    this.folder = new Path(output, FOLDER);
    this.configuration = configuration;
  }

  /** Writes all prompts of {@code source}. */
  void fill(PromptSource source) throws IOException {
    Filler filler = new Filler();
    source.read((prompt, place) -> filler.add(prompt));
    filler.flush();
  }

  /** Returns the prompts with the indices from {@code from} to before {@code to}. */
  List<Prompt> read(long from, long to) throws IOException {
    List<Prompt> prompts = new ArrayList<>();
    for (long file = from / ROWS; file * ROWS < to; file++) {
      Path path = path(file);
      try (BufferedReader in =
          new BufferedReader(
              new InputStreamReader(
                  FileSystems.of(path, configuration).open(path), StandardCharsets.UTF_8))) {
        long index = file * ROWS;
        for (String line = in.readLine(); line != null && index < to; line = in.readLine()) {
          if (index >= from) {
            prompts.add(JSON.readValue(line, Prompt.class));
          }
          index++;
        }
      }
    }
    if (prompts.size() != to - from) {
      throw new IOException(
          "%s holds %d of the prompts %d to %d".formatted(folder, prompts.size(), from, to - 1));
    }
    return prompts;
  }

  /** Removes all. */
  void clear() throws IOException {
    FileSystems.of(folder, configuration).delete(folder, true);
  }

  private Path path(long file) {
    return new Path(folder, String.format(Locale.ROOT, "prompts-%06d.jsonl", file));
  }

  private final class Filler {
    private final ByteArrayOutputStream lines = new ByteArrayOutputStream();
    private long rows;

    void add(Prompt prompt) throws IOException {
      lines.writeBytes(JSON.writeValueAsBytes(prompt));
      lines.write('\n');
      rows++;
      if (rows % ROWS == 0) {
        flush();
      }
    }

    void flush() throws IOException {
      if (lines.size() > 0) {
        CompleteFile.write(path((rows - 1) / ROWS), lines.toByteArray(), configuration);
        lines.reset();
      }
    }
  }
}
