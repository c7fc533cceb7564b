package org.latentspark.diffusion;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;

/** What DDPM and DDIM have in common: they look at one prediction and go by alphabar. */
final class OneStep {
  private final NoiseSchedule schedule;
  private final int[] timesteps;

  /**
   * Chooses the steps to visit.
   *
   * @throws IllegalArgumentException when the schedule has fewer, or the prediction says nothing at
   *     one of them
   */
  OneStep(NoiseSchedule schedule, int steps) {
    requireSteps(steps, schedule.steps(), schedule);
    SchedulerConfig config = schedule.config();
    this.schedule = schedule;
    this.timesteps =
        config.timestepSpacing().timesteps(schedule.steps(), steps, config.stepsOffset());
    if (schedule.alphaBar(timesteps[0]) == 0 && config.predictionType() == PredictionType.EPSILON) {
      throw new IllegalArgumentException(
          "rescale_betas_zero_snr = true: nothing of the sample is left at step "
              + timesteps[0]
              + ", so prediction_type must be v_prediction or sample, not epsilon");
    }
  }

  static void requireSteps(int steps, int most, NoiseSchedule schedule) {
    if (steps < 1 || steps > most) {
      throw new IllegalArgumentException(
          "steps = %d: must be from 1 to %d, the schedule has %d"
              .formatted(steps, most, schedule.steps()));
    }
  }

  int[] timesteps() {
    return timesteps.clone();
  }

  double alphaBar(int index) {
    return schedule.alphaBar(timesteps[index]);
  }

  /** Returns the clean sample's estimate at a visited step, clipped where the schedule says so. */
  Tensor clean(int index, Tensor noised, Tensor output) {
    double alphaBar = alphaBar(index);
    SchedulerConfig config = schedule.config();
    Tensor clean =
        config.predictionType().clean(noised, output, Math.sqrt(alphaBar), Math.sqrt(1 - alphaBar));
    double range = config.clipSampleRange();
    return range == 0
        ? clean
        : clean.clamp(
            new ScalarOptional(new Scalar(-range)), new ScalarOptional(new Scalar(range)));
  }
}
