package org.latentspark.averaging;

import java.io.Serializable;

/**
 * The learning rate by step: linear warm-up, a stretch at the peak, a cosine down to a share of it.
 *
 * @param peak the highest rate
 * @param warmupSteps steps of the linear rise from 0
 * @param holdShare share of all steps that ends the stretch at the peak, 0 to 1
 * @param finalShare the last step's rate as a share of the peak; 1 keeps the rate constant
 * @param steps all steps of the run
 */
public record LearningRate(
    double peak, long warmupSteps, double holdShare, double finalShare, long steps)
    implements Serializable {

  /** Returns a rate that never changes. */
  public static LearningRate constant(double rate) {
    return new LearningRate(rate, 0, 1, 1, 1);
  }

  /** Returns the rate of the step, counted from 0. */
  public double at(long step) {
    if (step < warmupSteps) {
      return peak * (step + 1) / warmupSteps;
    }
    double holdUntil = Math.max(warmupSteps, holdShare * steps);
    if (step < holdUntil || finalShare == 1) {
      return peak;
    }
    double progress = Math.min(1, (step + 1 - holdUntil) / Math.max(1, steps - holdUntil));
    return peak * (finalShare + (1 - finalShare) * 0.5 * (1 + Math.cos(Math.PI * progress)));
  }
}
