package org.latentspark.sample;

import org.latentspark.diffusion.NoiseSchedule;
import org.latentspark.diffusion.TimestepSpacing;

/** Which of the trained steps a sampler visits. */
public enum Spacing {
  /** Those that the checkpoint's scheduler_config.json asks for. */
  CHECKPOINT(null),
  /** Multiples of T / n. */
  LEADING(TimestepSpacing.LEADING),
  /** Evenly from the last step to the first. */
  LINSPACE(TimestepSpacing.LINSPACE),
  /** From the last step down by T / n. */
  TRAILING(TimestepSpacing.TRAILING);

  private final TimestepSpacing spacing;

  Spacing(TimestepSpacing spacing) {
    this.spacing = spacing;
  }

  NoiseSchedule of(NoiseSchedule schedule) {
    return spacing == null ? schedule : schedule.spaced(spacing);
  }
}
