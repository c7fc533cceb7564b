package org.latentspark.diffusion;

import java.util.List;

/**
 * How much noise each of the T forward steps adds.
 *
 * @param steps number T of forward steps
 * @param schedule how beta grows
 * @param start first beta of the linear schedules
 * @param end last beta of the linear schedules
 * @param trained beta of each step, in place of the schedule; empty where the schedule counts
 * @param zeroTerminalSnr whether the schedule is rescaled so that nothing of the sample is left
 *     after the last step (algorithm 1 of Lin et al., "Common diffusion noise schedules and sample
 *     steps are flawed", 2024)
 */
public record Betas(
    int steps,
    BetaSchedule schedule,
    double start,
    double end,
    List<Double> trained,
    boolean zeroTerminalSnr) {

  /** Checks the ranges; errors name the keys of {@code scheduler_config.json}. */
  public Betas {
    trained = List.copyOf(trained);
    require(steps >= 1, "num_train_timesteps", steps, "at least 1");
    require(start > 0, "beta_start", start, "above 0");
    require(end >= start && end < 1, "beta_end", end, "from beta_start to below 1");
    require(
        trained.isEmpty() || trained.size() == steps,
        "trained_betas",
        trained.size() + " numbers",
        "as many as num_train_timesteps, which is " + steps);
    for (double beta : trained) {
      require(beta > 0 && beta < 1, "trained_betas", beta, "above 0 and below 1");
    }
    require(
        !zeroTerminalSnr || steps > 1,
        "num_train_timesteps",
        steps,
        "above 1 to end without signal");
  }

  /** Returns a schedule as it is published. */
  public static Betas of(BetaSchedule schedule, int steps, double start, double end) {
    return new Betas(steps, schedule, start, end, List.of(), false);
  }

  /** Returns betas that were chosen one by one. */
  public static Betas trained(List<Double> betas) {
    return new Betas(betas.size(), BetaSchedule.LINEAR, 0.0001, 0.02, betas, false);
  }

  /** Returns these betas, rescaled so that nothing of the sample is left after the last step. */
  public Betas endingWithoutSignal() {
    return new Betas(steps, schedule, start, end, trained, true);
  }

  /** Returns alphabar_t, the share of the sample's variance that is left after each step. */
  double[] alphaBars() {
    double[] betas =
        trained.isEmpty()
            ? schedule.betas(steps, start, end)
            : trained.stream().mapToDouble(Double::doubleValue).toArray();
    double[] alphaBars = new double[steps];
    double product = 1;
    for (int t = 0; t < steps; t++) {
      product *= 1 - betas[t];
      alphaBars[t] = product;
    }
    if (zeroTerminalSnr) {
      endWithoutSignal(alphaBars);
    }
    return alphaBars;
  }

  /** Shifts sqrt(alphabar) by its last value and stretches it so that the first one stays. */
  private static void endWithoutSignal(double[] alphaBars) {
    double first = Math.sqrt(alphaBars[0]);
    double last = Math.sqrt(alphaBars[alphaBars.length - 1]);
    for (int t = 0; t < alphaBars.length; t++) {
      double scale = (Math.sqrt(alphaBars[t]) - last) * first / (first - last);
      alphaBars[t] = scale * scale;
    }
  }

  private static void require(boolean holds, String key, Object value, String allowed) {
    if (!holds) {
      throw new IllegalArgumentException(key + " = " + value + ": must be " + allowed);
    }
  }
}
