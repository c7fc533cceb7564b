package org.latentspark.diffusion;

/** How the noise of a forward step grows with the step. */
public enum BetaSchedule {
  /** Evenly from beta_start to beta_end (Ho et al., 2020). */
  LINEAR("linear") {
    @Override
    double[] betas(int steps, double start, double end) {
      return evenly(steps, start, end);
    }
  },
  /** Evenly in the square root of beta: Stable Diffusion's (Rombach et al., 2022). */
  SCALED_LINEAR("scaled_linear") {
    @Override
    double[] betas(int steps, double start, double end) {
      double[] betas = evenly(steps, Math.sqrt(start), Math.sqrt(end));
      for (int t = 0; t < steps; t++) {
        betas[t] *= betas[t];
      }
      return betas;
    }
  },
  /** Signal falling as a squared cosine (Nichol and Dhariwal, 2021); start and end play no part. */
  SQUAREDCOS_CAP_V2("squaredcos_cap_v2") {
    @Override
    double[] betas(int steps, double start, double end) {
      double[] betas = new double[steps];
      for (int t = 0; t < steps; t++) {
        double ratio = cosine((t + 1.0) / steps) / cosine((double) t / steps);
        betas[t] = Math.min(1 - ratio, LARGEST_COSINE_BETA);
      }
      return betas;
    }
  };

  private static final double LARGEST_COSINE_BETA = 0.999;
  private static final double COSINE_OFFSET = 0.008;

  private final String published;

  BetaSchedule(String published) {
    this.published = published;
  }

  /** Returns the name in {@code scheduler_config.json}. */
  public String published() {
    return published;
  }

  /** Returns beta of each of {@code steps} forward steps. */
  abstract double[] betas(int steps, double start, double end);

  private static double[] evenly(int steps, double start, double end) {
    double[] values = new double[steps];
    for (int t = 0; t < steps; t++) {
      values[t] = steps == 1 ? start : start + (end - start) * t / (steps - 1);
    }
    return values;
  }

  private static double cosine(double time) {
    double value = Math.cos((time + COSINE_OFFSET) / (1 + COSINE_OFFSET) * Math.PI / 2);
    return value * value;
  }
}
