package org.latentspark.sample;

import java.util.List;
import org.latentspark.cli.Settings;

/** The checked configuration of {@code sample}. */
record SampleSettings(
    String checkpoint,
    String encoders,
    String output,
    Weights weights,
    List<String> prompts,
    String promptsFile,
    String negativePrompt,
    long seed,
    DrawSettings draw,
    int count,
    Existing existing,
    int gridPictures,
    int gridColumns,
    int gridTile,
    String record) {

  /** What becomes of pictures that the output holds and that were drawn otherwise. */
  enum Existing {
    /** They stay, and the run is refused. */
    KEEP,
    /** They are removed. */
    REPLACE
  }

  static SampleSettings read(Settings settings) {
    SampleSettings read =
        new SampleSettings(
            settings.required("checkpoint"),
            settings.required("encoders"),
            settings.required("output"),
            settings.oneOf("weights", Weights.class),
            settings.strings("prompts"),
            settings.string("prompts-file"),
            settings.string("negative-prompt"),
            settings.longInteger("seed", 0, Long.MAX_VALUE),
            DrawKeys.read(
                settings, settings.integer("width", 0, 4096), settings.integer("height", 0, 4096)),
            settings.integer("count", 1, 1_000_000),
            settings.oneOf("existing", Existing.class),
            settings.integer("grid.pictures", 1, 1000),
            settings.integer("grid.columns", 1, 100),
            settings.integer("grid.tile", 16, 1024),
            settings.render());
    if (read.prompts.isEmpty() && read.promptsFile.isEmpty()) {
      settings.refuse("prompts", "must name at least one prompt, or prompts-file a file of them");
    }
    return read;
  }
}
