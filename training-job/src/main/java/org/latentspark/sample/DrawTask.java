package org.latentspark.sample;

import java.awt.image.BufferedImage;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.spark.TaskContext;
import org.apache.spark.util.SerializableConfiguration;
import org.latentspark.tensor.CompleteFile;
import org.latentspark.tensor.FileSystems;
import org.latentspark.tensor.Natives;
import org.latentspark.tensor.Shutdown;

/**
 * Draws the pictures of a batch that are not there yet.
 *
 * <p>libtorch's last bits depend on the shape of a batch and on the number of threads. So a batch
 * always holds the pictures that its number says, in their order, and is filled up to its full
 * size; and one thread draws it. An attempt that was cut short leaves whole pictures or none, and
 * the next one makes the others, with the same bytes.
 */
final class DrawTask implements Serializable {
  private static final long serialVersionUID = 1L;

  private final SamplePlan plan;
  private final SerializableConfiguration configuration;

  DrawTask(SamplePlan plan, SerializableConfiguration configuration) {
    this.plan = plan;
    this.configuration = configuration;
  }

  /** Draws batch {@code batch} and returns how many pictures it made. */
  int draw(long batch) throws IOException {
    Configuration hadoop = configuration.value();
    List<Picture> pictures = plan.batch(batch, hadoop);
    Set<Long> present = present(pictures, hadoop);
    if (present.size() == pictures.size()) {
      return 0;
    }
    int made = 0;
    try (Shutdown.Region region = Shutdown.enter()) {
      Natives.operationThreads(1);
      List<BufferedImage> drawn = draw(filled(pictures), hadoop);
      for (int row = 0; row < pictures.size(); row++) {
        Picture picture = pictures.get(row);
        if (!present.contains(picture.number())) {
          CompleteFile.write(
              new Path(plan.output(), picture.file()),
              PictureFile.png(drawn.get(row), texts(picture)),
              hadoop);
          made++;
        }
      }
    }
    return made;
  }

  private List<BufferedImage> draw(List<Picture> pictures, Configuration hadoop)
      throws IOException {
    TextToImage model = PictureModel.shared(plan.source(), plan.sha256(), hadoop).model();
    return model.draw(
        pictures.stream().map(picture -> picture.prompt().text()).toList(),
        pictures.stream().map(picture -> picture.prompt().negative()).toList(),
        pictures.stream().mapToLong(Picture::seed).toArray(),
        plan.draw(),
        DrawTask::stopIfTold);
  }

  private static void stopIfTold() {
    TaskContext context = TaskContext.get();
    if (context != null) {
      context.killTaskIfInterrupted();
    }
    if (Shutdown.begun()) {
      throw new IllegalStateException("Told to stop");
    }
  }

  private List<Picture> filled(List<Picture> pictures) {
    List<Picture> full = new ArrayList<>(pictures);
    while (full.size() < plan.draw().batchSize()) {
      full.add(pictures.get(pictures.size() - 1));
    }
    return full;
  }

  private Set<Long> present(List<Picture> pictures, Configuration hadoop) throws IOException {
    Set<Long> wanted = new TreeSet<>();
    Set<String> folders = new TreeSet<>();
    for (Picture picture : pictures) {
      wanted.add(picture.number());
      folders.add(Picture.folder(picture.number()));
    }
    Set<Long> present = new TreeSet<>();
    for (String folder : folders) {
      for (FileStatus file : list(new Path(plan.output(), folder), hadoop)) {
        OptionalLong number = Picture.number(file.getPath().getName());
        if (number.isPresent() && wanted.contains(number.getAsLong())) {
          present.add(number.getAsLong());
        }
      }
    }
    return present;
  }

  /** Returns the files of a folder; none where there is no folder. */
  static FileStatus[] list(Path folder, Configuration hadoop) throws IOException {
    try {
      return FileSystems.of(folder, hadoop).listStatus(folder);
    } catch (FileNotFoundException e) {
      return new FileStatus[0];
    }
  }

  /** What a picture says of itself; nothing that differs between two runs of the same plan. */
  private Map<String, String> texts(Picture picture) {
    Map<String, String> texts = new LinkedHashMap<>();
    texts.put("Software", "LatentSpark");
    texts.put("prompt", picture.prompt().text());
    texts.put("negative_prompt", picture.prompt().negative());
    texts.put("seed", Long.toString(picture.seed()));
    texts.put("parameters", plan.parameters());
    texts.put("unet_sha256", plan.sha256().get("unet"));
    return texts;
  }
}
