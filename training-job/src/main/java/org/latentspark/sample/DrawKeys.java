package org.latentspark.sample;

import org.latentspark.cli.Settings;
import org.latentspark.diffusion.Guidance;
import org.latentspark.tensor.Precision;

/** Reads the keys that say how pictures are drawn, which every verb that draws shares. */
public final class DrawKeys {
  /** The resource that declares them. */
  public static final String REFERENCE = "org/latentspark/sample/drawing.conf";

  private DrawKeys() {}

  /** Returns what the keys ask for, in pictures of the given size. */
  public static DrawSettings read(Settings settings, int width, int height) {
    Guidance guidance =
        new Guidance(
            settings.number("guidance-scale", 1, 100), settings.number("guidance-rescale", 0, 1));
    if (guidance.rescale() > 0 && guidance.scale() == 1) {
      settings.refuse(
          "guidance-rescale", "must be 0 with guidance-scale = 1, which is no guidance");
    }
    return new DrawSettings(
        SamplerKeys.read(settings),
        settings.oneOf("timestep-spacing", Spacing.class),
        settings.integer("steps", 1, 1_000_000),
        guidance,
        width,
        height,
        settings.integer("batch-size", 1, 1024),
        settings.oneOf("precision", Precision.class));
  }
}
