package org.latentspark.sample;

import java.util.List;
import org.latentspark.cli.Settings;
import org.latentspark.diffusion.DdimSampler;
import org.latentspark.diffusion.DdpmSampler;
import org.latentspark.diffusion.DpmSolverOptions;
import org.latentspark.diffusion.DpmSolverOptions.Algorithm;
import org.latentspark.diffusion.DpmSolverOptions.FinalSigma;
import org.latentspark.diffusion.SamplerChoice;

/** Reads the keys that choose a sampler. */
final class SamplerKeys {
  private static final String DDIM = "ddim";
  private static final String DDPM = "ddpm";
  private static final String DPM_SOLVER = "dpm-solver";
  private static final String DPM_SOLVER_PLUS_PLUS = "dpm-solver++";
  private static final String SDE_DPM_SOLVER_PLUS_PLUS = "sde-dpm-solver++";
  private static final List<String> SAMPLERS =
      List.of(DDIM, DDPM, DPM_SOLVER, DPM_SOLVER_PLUS_PLUS, SDE_DPM_SOLVER_PLUS_PLUS);

  /** What {@code dpm-solver.final-sigma} may be. */
  private enum FinalSigmaKey {
    AUTO,
    ZERO,
    SIGMA_MIN
  }

  private SamplerKeys() {}

  static SamplerChoice read(Settings settings) {
    String sampler = settings.string("sampler");
    if (!SAMPLERS.contains(sampler)) {
      settings.refuse("sampler", "must be one of " + String.join(", ", SAMPLERS));
    }
    double eta = settings.number("eta", 0, 1);
    if (eta > 0 && !sampler.equals(DDIM)) {
      settings.refuse("eta", "must be 0 with sampler = " + sampler + ": only ddim takes it");
    }
    DdpmSampler.Variance variance = settings.oneOf("ddpm.variance", DdpmSampler.Variance.class);
    SamplerChoice solver = solver(settings, sampler);
    switch (sampler) {
      case DDIM:
        return new DdimSampler.Options(eta);
      case DDPM:
        return new DdpmSampler.Options(variance);
      default:
        return solver;
    }
  }

  private static SamplerChoice solver(Settings settings, String sampler) {
    Algorithm algorithm = algorithm(sampler);
    int most = algorithm == Algorithm.SDE_DPM_SOLVER_PLUS_PLUS ? 2 : 3;
    int order = settings.integer("dpm-solver.order", 1, 3);
    if (order > most) {
      settings.refuse("dpm-solver.order", "must be 1 or 2 with sampler = " + sampler);
    }
    FinalSigmaKey key = settings.oneOf("dpm-solver.final-sigma", FinalSigmaKey.class);
    boolean dividesBySigma = algorithm == Algorithm.DPM_SOLVER;
    if (key == FinalSigmaKey.ZERO && dividesBySigma) {
      settings.refuse(
          "dpm-solver.final-sigma", "must be auto or sigma-min with sampler = dpm-solver");
    }
    boolean zero = key != FinalSigmaKey.SIGMA_MIN && !dividesBySigma;
    return new DpmSolverOptions(
        algorithm,
        Math.min(order, most),
        settings.oneOf("dpm-solver.type", DpmSolverOptions.SolverType.class),
        settings.oneOf("dpm-solver.sigmas", DpmSolverOptions.Sigmas.class),
        settings.flag("dpm-solver.lower-order-final"),
        settings.flag("dpm-solver.euler-at-final"),
        zero ? FinalSigma.ZERO : FinalSigma.SIGMA_MIN);
  }

  private static Algorithm algorithm(String sampler) {
    switch (sampler) {
      case DPM_SOLVER:
        return Algorithm.DPM_SOLVER;
      case SDE_DPM_SOLVER_PLUS_PLUS:
        return Algorithm.SDE_DPM_SOLVER_PLUS_PLUS;
      default:
        return Algorithm.DPM_SOLVER_PLUS_PLUS;
    }
  }
}
