package org.latentspark.diffusion;

import java.io.Serializable;

/** A sampler with its options, before it meets a schedule. */
@FunctionalInterface
public interface SamplerChoice extends Serializable {
  /**
   * Returns the sampler of a schedule.
   *
   * @param steps how many of the trained steps are visited
   * @throws IllegalArgumentException when the schedule does not allow it, naming the option
   */
  Sampler over(NoiseSchedule schedule, int steps);
}
