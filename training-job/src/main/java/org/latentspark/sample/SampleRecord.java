package org.latentspark.sample;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.latentspark.cli.InputException;
import org.latentspark.tensor.CompleteFile;
import org.latentspark.tensor.FileSystems;

/** Ends a run: the grid of its first pictures, and samples.json, written last. */
final class SampleRecord {
  static final String FILE_NAME = "samples.json";

  private static final String GRID = "grid.png";
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private final SamplePlan plan;
  private final SampleSettings settings;
  private final Configuration hadoop;
  private final Path output;

  SampleRecord(SamplePlan plan, SampleSettings settings, Configuration hadoop) {
    this.plan = plan;
    this.settings = settings;
    this.hadoop = hadoop;
    this.output = new Path(plan.output());
  }

  /**
   * Writes both.
   *
   * @param made pictures that this run drew
   * @param recorded rows of the record
   * @param seconds that the run took
   */
  void write(TextToImage model, long made, long recorded, double seconds) throws IOException {
    long shown = Math.min(plan.pictures(), settings.gridPictures());
    List<Picture> pictures = plan.pictures(0, shown, hadoop);
    List<String> prompts = pictures.stream().map(picture -> picture.prompt().text()).toList();
    List<BufferedImage> images = new ArrayList<>();
    for (Picture picture : pictures) {
      Path path = new Path(output, picture.file());
      try (InputStream in = FileSystems.of(path, hadoop).open(path)) {
        BufferedImage image = ImageIO.read(in);
        if (image == null) {
          throw new InputException(path + " is no picture: delete it, and it is made again");
        }
        images.add(image);
      }
    }
    ByteArrayOutputStream grid = new ByteArrayOutputStream();
    ContactSheet sheet = new ContactSheet(settings.gridColumns(), settings.gridTile());
    ImageIO.write(sheet.draw(images, prompts), "png", grid);
    Path gridPath = new Path(output, GRID);
    CompleteFile.write(gridPath, grid.toByteArray(), hadoop);

    Optional<int[]> closest =
        PromptMatch.open(new Path(settings.encoders()), hadoop)
            .map(judge -> judge.closest(images, prompts));
    ObjectNode record = JSON.createObjectNode();
    record.put("checkpoint", plan.source().checkpoint());
    record.put("pictures", recorded).put("made", made);
    record.put("record", PictureTable.FOLDER).put("grid", GRID);
    record.put("seconds", Math.round(seconds * 100) / 100.0);
    ArrayNode list = record.putArray("images");
    for (int index = 0; index < pictures.size(); index++) {
      ObjectNode image =
          list.addObject()
              .put("file", pictures.get(index).file())
              .put("prompt", prompts.get(index))
              .put("seed", pictures.get(index).seed());
      if (closest.isPresent()) {
        image.put("closest_prompt", prompts.get(closest.get()[index]));
      }
    }
    record.set("fingerprints", JSON.valueToTree(plan.sha256()));
    record.set("config", JSON.readTree(settings.record()));
    CompleteFile.write(new Path(output, FILE_NAME), JSON.writeValueAsBytes(record), hadoop);
    closest.ifPresent(found -> tellClosest(found, prompts));
    System.out.printf(
        Locale.ROOT,
        "Pictures of %s: %d, %d of them made now, in %.1f s; the first %d on %s%n",
        plan.source().checkpoint(),
        recorded,
        made,
        seconds,
        shown,
        gridPath);
  }

  private static void tellClosest(int[] found, List<String> prompts) {
    System.out.printf(
        "CLIP finds the own prompt closest, of all %d, for %d pictures%n",
        prompts.size(),
        IntStream.range(0, found.length)
            .filter(index -> prompts.get(found[index]).equals(prompts.get(index)))
            .count());
  }
}
