package org.latentspark.diffusion;

import java.util.Arrays;

/**
 * The noise levels sigma = sqrt((1 - alphabar) / alphabar) between which DPM-Solver steps, by the
 * conventions of diffusers' {@code DPMSolverMultistepScheduler}.
 *
 * @param timesteps n steps at which the network is asked
 * @param sigmas n + 1 levels, the last one the end
 */
record NoiseLevels(int[] timesteps, double[] sigmas) {
  private static final double KARRAS_RHO = 7;

  /** Stands for an alphabar of 0, whose sigma would be infinite. */
  private static final double LEAST_ALPHA_BAR = 0x1p-24;

  static NoiseLevels of(NoiseSchedule schedule, int steps, DpmSolverOptions options) {
    OneStep.requireSteps(steps, schedule.steps() - 1, schedule);
    double[] trained = new double[schedule.steps()];
    for (int t = 0; t < trained.length; t++) {
      double alphaBar = schedule.alphaBar(t) == 0 ? LEAST_ALPHA_BAR : schedule.alphaBar(t);
      trained[t] = Math.sqrt((1 - alphaBar) / alphaBar);
    }
    int[] timesteps = new int[steps];
    double[] sigmas = new double[steps + 1];
    if (options.sigmas() == DpmSolverOptions.Sigmas.KARRAS) {
      for (int index = 0; index < steps; index++) {
        sigmas[index] = karras(trained, index, steps);
        double t = timestep(sigmas[index], trained);
        // The reference cuts off with the cosine schedule and rounds with the others. What it cuts
        // there is at times its own rounding error: its first step may be T - 2, here it is T - 1.
        boolean cosine = schedule.config().betas().schedule() == BetaSchedule.SQUAREDCOS_CAP_V2;
        timesteps[index] = (int) (cosine ? t : Math.rint(t));
      }
    } else {
      timesteps = spaced(schedule, steps);
      for (int index = 0; index < steps; index++) {
        sigmas[index] = trained[timesteps[index]];
      }
    }
    sigmas[steps] = options.finalSigma() == DpmSolverOptions.FinalSigma.ZERO ? 0 : trained[0];
    return new NoiseLevels(timesteps, sigmas);
  }

  /** Spaces n + 1 steps and leaves out the last, the least noisy one, but trailing just n. */
  private static int[] spaced(NoiseSchedule schedule, int steps) {
    SchedulerConfig config = schedule.config();
    TimestepSpacing spacing = config.timestepSpacing();
    int more = spacing == TimestepSpacing.TRAILING ? steps : steps + 1;
    return Arrays.copyOf(spacing.timesteps(schedule.steps(), more, config.stepsOffset()), steps);
  }

  /** Returns the index-th of n levels from the largest to the smallest. */
  private static double karras(double[] trained, int index, int steps) {
    double smallest = Math.pow(trained[0], 1 / KARRAS_RHO);
    double largest = Math.pow(trained[trained.length - 1], 1 / KARRAS_RHO);
    double ramp = steps == 1 ? 0 : (double) index / (steps - 1);
    return Math.pow(largest + ramp * (smallest - largest), KARRAS_RHO);
  }

  /** Returns the step of a noise level, between two steps by its logarithm. */
  private static double timestep(double sigma, double[] trained) {
    int low = 0;
    while (low < trained.length - 2 && trained[low + 1] <= sigma) {
      low++;
    }
    double from = Math.log(trained[low]);
    double share = (Math.log(sigma) - from) / (Math.log(trained[low + 1]) - from);
    return low + Math.max(0, Math.min(1, share));
  }
}
