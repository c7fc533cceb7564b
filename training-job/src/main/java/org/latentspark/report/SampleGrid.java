package org.latentspark.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;

/**
 * The grid of pictures that a checkpoint drew.
 *
 * @param step local steps behind the checkpoint
 * @param picture the grid as a data URI
 * @param prompts what was asked for, picture by picture
 * @param settings how it was drawn, such as "50 steps"
 */
record SampleGrid(long step, String picture, List<String> prompts, List<String> settings) {
  /** A page of more grids grows too large to open; these are spread over the run. */
  static final int MOST_GRIDS = 48;

  private static final Pattern NAME = Pattern.compile("step-(\\d+)");

  /** Reads the grids of a run in the order of their steps, at most {@link #MOST_GRIDS}. */
  static List<SampleGrid> list(Path run, RunFiles files) throws IOException {
    List<Path> folders = new ArrayList<>();
    for (FileStatus status : files.list(new Path(run, "samples"))) {
      if (status.isDirectory()
          && NAME.matcher(status.getPath().getName()).matches()
          && files.exists(new Path(status.getPath(), "grid.png"))) {
        folders.add(status.getPath());
      }
    }
    List<Path> shown = spread(folders, MOST_GRIDS);
    if (shown.size() < folders.size()) {
      files.remark(
          "Of %d sample grids %d are shown, spread over the run"
              .formatted(folders.size(), shown.size()));
    }
    List<SampleGrid> grids = new ArrayList<>();
    for (Path folder : shown) {
      read(folder, files).ifPresent(grids::add);
    }
    return grids;
  }

  private static Optional<SampleGrid> read(Path folder, RunFiles files) throws IOException {
    Path grid = new Path(folder, "grid.png");
    Optional<byte[]> png = files.bytes(grid);
    if (png.isEmpty()) {
      return Optional.empty();
    }
    Optional<String> picture = EmbeddedPicture.dataUri(png.get());
    if (picture.isEmpty()) {
      files.remark(grid + " is not a picture");
      return Optional.empty();
    }
    JsonNode record = files.json(new Path(folder, "samples.json"));
    List<String> prompts = new ArrayList<>();
    record.path("images").forEach(image -> prompts.add(image.path("prompt").asText()));
    if (prompts.isEmpty()) {
      record.path("prompts").forEach(prompt -> prompts.add(prompt.asText()));
    }
    Matcher name = NAME.matcher(folder.getName());
    long step = name.matches() ? Long.parseLong(name.group(1)) : 0;
    return Optional.of(new SampleGrid(step, picture.get(), prompts, settings(record)));
  }

  /** The settings stand in the record itself or in the configuration that it quotes. */
  private static List<String> settings(JsonNode record) {
    List<String> settings = new ArrayList<>();
    add(settings, "%s denoising steps", find(record, "steps"));
    add(settings, "guidance scale %s", find(record, "guidance_scale", "guidance-scale"));
    add(settings, "weights: %s", find(record, "weights"));
    add(settings, "seed %s", find(record, "seed"));
    return settings;
  }

  private static void add(List<String> settings, String format, JsonNode value) {
    if (value.isValueNode()) {
      settings.add(format.formatted(value.asText()));
    }
  }

  private static JsonNode find(JsonNode record, String... names) {
    for (JsonNode place : List.of(record, record.path("config"))) {
      for (String name : names) {
        if (place.has(name)) {
          return place.get(name);
        }
      }
    }
    return MissingNode.getInstance();
  }

  /** Returns {@code most} of the items, the first and the last among them. */
  static <T> List<T> spread(List<T> items, int most) {
    if (items.size() <= most) {
      return items;
    }
    List<T> chosen = new ArrayList<>();
    for (int i = 0; i < most; i++) {
      chosen.add(items.get((int) ((long) i * (items.size() - 1) / (most - 1))));
    }
    return chosen;
  }
}
