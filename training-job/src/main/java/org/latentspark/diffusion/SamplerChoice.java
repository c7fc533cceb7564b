package org.latentspark.diffusion;

/** A sampler with its options, before it meets a schedule. */
@FunctionalInterface
public interface SamplerChoice {
  /**
   * Returns the sampler of a schedule.
   *
   * @param steps how many of the trained steps are visited
   * @throws IllegalArgumentException when the schedule does not allow it, naming the option
   */
  Sampler over(NoiseSchedule schedule, int steps);
}
