package org.latentspark.sample;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.awt.image.BufferedImage;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import javax.imageio.ImageIO;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.latentspark.cli.InputException;
import org.latentspark.cli.Launcher;
import org.latentspark.cli.Progress;
import org.latentspark.cli.Settings;
import org.latentspark.cli.Verb;
import org.latentspark.tensor.FileSystems;
import org.latentspark.tensor.Natives;

/** The verb {@code sample}: pictures for prompts from a checkpoint, and one labelled grid. */
public final class SampleJob implements Verb<SampleSettings> {
  private static final int LONGEST_NAME = 40;
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /** Runs the verb. */
  public static void main(String[] arguments) {
    System.setProperty("java.awt.headless", "true");
    Launcher.main(new SampleJob(), arguments);
  }

  @Override
  public String name() {
    return "sample";
  }

  @Override
  public String summary() {
    return "Draws pictures for prompts from a checkpoint.";
  }

  @Override
  public List<String> references() {
    return List.of("org/latentspark/sample/reference.conf", DrawKeys.REFERENCE);
  }

  @Override
  public SampleSettings configure(Settings settings) {
    return SampleSettings.read(settings);
  }

  @Override
  public void run(SampleSettings settings) throws IOException {
    Configuration hadoop = SparkHadoopUtil.get().conf();
    if (settings.threads() > 0) {
      Natives.operationThreads(settings.threads());
    }
    List<String> prompts = prompts(settings, hadoop);
    Path checkpoint = TextToImage.checkpoint(new Path(settings.checkpoint()), hadoop);
    TextToImage model = TextToImage.open(new Path(settings.encoders()), hadoop);
    model.load(checkpoint, settings.weights());
    long[] seeds = LongStream.range(0, prompts.size()).map(i -> settings.seed() + i).toArray();
    long start = System.nanoTime();
    List<BufferedImage> pictures = draw(model, prompts, seeds, settings);
    double seconds = (System.nanoTime() - start) / 1e9;

    Path output = new Path(settings.output());
    FileSystem fileSystem = FileSystems.of(output, hadoop);
    fileSystem.mkdirs(output);
    Optional<int[]> closest =
        PromptMatch.open(new Path(settings.encoders()), hadoop)
            .map(judge -> judge.closest(pictures, prompts));
    ArrayNode images = JSON.createArrayNode();
    for (int index = 0; index < pictures.size(); index++) {
      String file = fileName(index, prompts.get(index));
      write(fileSystem, new Path(output, file), pictures.get(index));
      ObjectNode image =
          images
              .addObject()
              .put("file", file)
              .put("prompt", prompts.get(index))
              .put("seed", seeds[index]);
      if (closest.isPresent()) {
        image.put("closest_prompt", prompts.get(closest.get()[index]));
      }
    }
    ContactSheet sheet = new ContactSheet(settings.gridColumns(), settings.gridTile());
    Path grid = new Path(output, "grid.png");
    write(fileSystem, grid, sheet.draw(pictures, prompts));
    ObjectNode record = JSON.createObjectNode();
    record.put("checkpoint", checkpoint.toString());
    record.put("grid", grid.getName());
    record.put("seconds", Math.round(seconds * 100) / 100.0);
    record.set("images", images);
    record.set("config", JSON.readTree(settings.record()));
    try (OutputStream out = fileSystem.create(new Path(output, "samples.json"), true)) {
      out.write(JSON.writeValueAsBytes(record));
    }
    closest.ifPresent(
        found ->
            System.out.printf(
                "CLIP finds the own prompt closest, of all %d, for %d pictures%n",
                prompts.size(),
                IntStream.range(0, found.length)
                    .filter(index -> prompts.get(found[index]).equals(prompts.get(index)))
                    .count()));
    System.out.printf(
        Locale.ROOT,
        "Pictures drawn from %s: %d in %.1f s, all on %s%n",
        checkpoint,
        pictures.size(),
        seconds,
        grid);
  }

  private static List<BufferedImage> draw(
      TextToImage model, List<String> prompts, long[] seeds, SampleSettings settings) {
    DrawSettings draw = settings.draw();
    int batches = (prompts.size() + draw.batchSize() - 1) / draw.batchSize();
    try (Progress progress = Progress.start("sample", "steps", (long) batches * draw.steps())) {
      return model.draw(prompts, settings.negativePrompt(), seeds, draw, () -> progress.advance(1));
    }
  }

  private static List<String> prompts(SampleSettings settings, Configuration hadoop)
      throws IOException {
    List<String> prompts = new ArrayList<>(settings.prompts());
    if (!settings.promptsFile().isEmpty()) {
      Path file = new Path(settings.promptsFile());
      try (InputStream in = FileSystems.of(file, hadoop).open(file)) {
        new String(in.readAllBytes(), StandardCharsets.UTF_8)
            .lines()
            .map(String::strip)
            .filter(line -> !line.isEmpty())
            .forEach(prompts::add);
      } catch (FileNotFoundException e) {
        throw new InputException("prompts-file = " + file + ": there is no such file", e);
      }
    }
    if (prompts.isEmpty()) {
      throw new InputException("prompts-file = " + settings.promptsFile() + " holds no prompt");
    }
    return prompts;
  }

  /** Returns a name that sorts in the order of the prompts and tells which is which. */
  private static String fileName(int index, String prompt) {
    String words = prompt.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
    String name = words.substring(0, Math.min(words.length(), LONGEST_NAME));
    return String.format(Locale.ROOT, "%03d-%s", index, name).replaceAll("-+$", "") + ".png";
  }

  private static void write(FileSystem fileSystem, Path path, BufferedImage picture)
      throws IOException {
    try (OutputStream out = fileSystem.create(path, true)) {
      ImageIO.write(picture, "png", out);
    }
  }
}
