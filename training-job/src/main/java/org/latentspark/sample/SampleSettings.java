package org.latentspark.sample;

import java.util.List;
import org.latentspark.cli.Settings;
import org.latentspark.diffusion.Guidance;
import org.latentspark.tensor.Precision;

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
    int threads,
    int gridColumns,
    int gridTile,
    String record) {

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
            new DrawSettings(
                SamplerKeys.read(settings),
                settings.oneOf("timestep-spacing", Spacing.class),
                settings.integer("steps", 1, 1_000_000),
                new Guidance(
                    settings.number("guidance-scale", 1, 100),
                    settings.number("guidance-rescale", 0, 1)),
                settings.integer("width", 0, 4096),
                settings.integer("height", 0, 4096),
                settings.integer("batch-size", 1, 1024),
                settings.oneOf("precision", Precision.class)),
            settings.integer("threads", 0, 1024),
            settings.integer("grid.columns", 1, 100),
            settings.integer("grid.tile", 16, 1024),
            settings.render());
    if (read.prompts.isEmpty() && read.promptsFile.isEmpty()) {
      settings.refuse("prompts", "must name at least one prompt, or prompts-file a file of them");
    }
    Guidance guidance = read.draw.guidance();
    if (guidance.rescale() > 0 && guidance.scale() == 1) {
      settings.refuse(
          "guidance-rescale", "must be 0 with guidance-scale = 1, which is no guidance");
    }
    return read;
  }
}
