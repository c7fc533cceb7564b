package org.latentspark.diffusion;

/**
 * The options of DPM-Solver, in diffusers' terms.
 *
 * @param algorithm which equation is solved
 * @param order of the multistep solver, 1 to 3
 * @param solverType the second-order formula
 * @param sigmas where the noise levels lie
 * @param lowerOrderFinal whether trajectories of fewer than 15 steps end with lower orders
 * @param eulerAtFinal whether the last step is of order 1
 * @param finalSigma the noise level that the last step goes to
 */
public record DpmSolverOptions(
    Algorithm algorithm,
    int order,
    SolverType solverType,
    Sigmas sigmas,
    boolean lowerOrderFinal,
    boolean eulerAtFinal,
    FinalSigma finalSigma)
    implements SamplerChoice {

  /** Which equation is solved. */
  public enum Algorithm {
    /** The ODE in terms of the noise (Lu et al., "DPM-Solver", 2022). */
    DPM_SOLVER,
    /** The ODE in terms of the clean sample (Lu et al., "DPM-Solver++", 2022): for guidance. */
    DPM_SOLVER_PLUS_PLUS,
    /** The stochastic equation in terms of the clean sample (appendix B of DPM-Solver++). */
    SDE_DPM_SOLVER_PLUS_PLUS
  }

  /** The second-order formula. */
  public enum SolverType {
    /** The slope at the middle. */
    MIDPOINT,
    /** The exact integral of a straight line. */
    HEUN
  }

  /** Where the noise levels lie. */
  public enum Sigmas {
    /** At the visited steps. */
    SCHEDULE,
    /** Evenly in sigma^(1/7) (Karras et al., 2022). */
    KARRAS
  }

  /** The noise level that the last step goes to. */
  public enum FinalSigma {
    /** The sample without noise. */
    ZERO,
    /** The level of the first trained step. */
    SIGMA_MIN
  }

  /**
   * Checks what goes together.
   *
   * @throws IllegalArgumentException naming the option
   */
  public DpmSolverOptions {
    // The reference's third-order stochastic formula weighs D2 by a factor that tends to -1 instead
    // of 0 with the step, so it is left out rather than copied.
    int most = algorithm == Algorithm.SDE_DPM_SOLVER_PLUS_PLUS ? 2 : 3;
    if (order < 1 || order > most) {
      throw new IllegalArgumentException(
          "order = %d: must be from 1 to %d with %s".formatted(order, most, algorithm));
    }
    if (algorithm == Algorithm.DPM_SOLVER && finalSigma == FinalSigma.ZERO) {
      throw new IllegalArgumentException(
          "final sigma zero: must be sigma-min with " + algorithm + ", which divides by it");
    }
  }

  /** Returns the usual options of an algorithm. */
  public static DpmSolverOptions of(Algorithm algorithm) {
    return new DpmSolverOptions(
        algorithm,
        2,
        SolverType.MIDPOINT,
        Sigmas.SCHEDULE,
        true,
        false,
        algorithm == Algorithm.DPM_SOLVER ? FinalSigma.SIGMA_MIN : FinalSigma.ZERO);
  }

  @Override
  public Sampler over(NoiseSchedule schedule, int steps) {
    return new DpmSolverSampler(schedule, steps, this);
  }
}
