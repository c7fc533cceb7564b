package org.latentspark.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.OutputStream;
import java.io.Serializable;
import java.util.List;
import java.util.stream.LongStream;
import javax.imageio.ImageIO;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.latentspark.cli.Settings;
import org.latentspark.sample.ContactSheet;
import org.latentspark.sample.DrawSettings;
import org.latentspark.sample.TextToImage;
import org.latentspark.sample.Weights;
import org.latentspark.tensor.FileSystems;
import org.latentspark.tensor.StoppedException;

/** Draws the same prompts from each checkpoint, so that one sees the model learn. */
final class SampleGrids {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int COLUMNS = 4;
  private static final int TILE = 128;

  /** The keys {@code samples.*}. */
  record Prompts(List<String> prompts, int steps, double guidanceScale, long seed)
      implements Serializable {
    static final int COUNT = 12;

    static Prompts read(Settings settings) {
      return new Prompts(
          settings.strings("samples.prompts"),
          settings.integer("samples.steps", 1, 1000),
          settings.number("samples.guidance-scale", 0, 100),
          settings.longInteger("samples.seed", Long.MIN_VALUE, Long.MAX_VALUE));
    }
  }

  private final Path run;
  private final Prompts settings;
  private final List<String> prompts;
  private final TextToImage model;
  private final Configuration configuration;

  SampleGrids(
      Path run, Prompts settings, List<String> prompts, Path encoders, Configuration configuration)
      throws IOException {
    this.run = run;
    this.settings = settings;
    this.prompts = prompts;
    this.model = TextToImage.open(encoders, configuration);
    this.configuration = configuration;
  }

  /**
   * Draws the grid of a checkpoint to {@code <run>/samples/<checkpoint>/grid.png} and returns it.
   *
   * @throws StoppedException when the JVM was told to end
   */
  BufferedImage draw(Path checkpoint) throws IOException {
    model.load(checkpoint, Weights.EMA);
    long[] seeds = LongStream.range(0, prompts.size()).map(i -> settings.seed() + i).toArray();
    List<BufferedImage> pictures =
        model.draw(
            prompts,
            "",
            seeds,
            DrawSettings.of(settings.steps(), settings.guidanceScale()),
            () -> StoppedException.ifTold("a sample grid"));
    BufferedImage grid = new ContactSheet(COLUMNS, TILE).draw(pictures, prompts);
    Path folder = new Path(new Path(run, "samples"), checkpoint.getName());
    FileSystem fileSystem = FileSystems.of(folder, configuration);
    fileSystem.mkdirs(folder);
    try (OutputStream out = fileSystem.create(new Path(folder, "grid.png"), true)) {
      ImageIO.write(grid, "png", out);
    }
    ObjectNode record = JSON.createObjectNode();
    record.put("checkpoint", checkpoint.getName());
    record.put("grid", "grid.png");
    record.set("prompts", JSON.valueToTree(prompts));
    record.put("steps", settings.steps());
    record.put("guidance_scale", settings.guidanceScale());
    record.put("seed", settings.seed());
    try (OutputStream out = fileSystem.create(new Path(folder, "samples.json"), true)) {
      out.write(JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(record));
    }
    return grid;
  }
}
