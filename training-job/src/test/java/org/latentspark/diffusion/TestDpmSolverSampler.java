package org.latentspark.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.latentspark.diffusion.DpmSolverOptions.Algorithm;
import org.latentspark.diffusion.DpmSolverOptions.FinalSigma;
import org.latentspark.diffusion.DpmSolverOptions.Sigmas;
import org.latentspark.diffusion.DpmSolverOptions.SolverType;
import org.latentspark.tensor.Tensors;

class TestDpmSolverSampler {
  /** Golden means that diffusers publishes in its own tests of DPMSolverMultistepScheduler. */
  @ParameterizedTest
  @CsvSource({
    "EPSILON, SCHEDULE, 0.3301",
    "V_PREDICTION, SCHEDULE, 0.2251",
    "V_PREDICTION, KARRAS, 0.2096",
  })
  void reachesTheGoldenMeans(PredictionType type, Sigmas sigmas, double mean) {
    Sampler sampler =
        options(2, SolverType.MIDPOINT, sigmas).over(linear(type, TimestepSpacing.LINSPACE), 10);
    try (PointerScope scope = new PointerScope()) {
      assertThat(Trajectories.golden(sampler).abs().mean().item_double())
          .isCloseTo(mean, within(1e-3));
    }
  }

  /** Karras' levels end at sigma-min, so the last step goes nowhere. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void staysFiniteWhereTheLastTwoLevelsAreOne(int order) {
    Sampler sampler =
        options(order, SolverType.HEUN, Sigmas.KARRAS)
            .over(linear(PredictionType.V_PREDICTION, TimestepSpacing.LINSPACE), 10);
    try (PointerScope scope = new PointerScope()) {
      assertThat(Trajectories.golden(sampler).isfinite().all().item_bool()).isTrue();
    }
  }

  @Test
  void theSecondOrderIsCloserToTheSolutionThanTheFirst() {
    NoiseSchedule schedule = linear(PredictionType.V_PREDICTION, TimestepSpacing.LINSPACE);
    try (PointerScope scope = new PointerScope()) {
      Tensor exact = end(3, 900, schedule);
      assertThat(distance(exact, end(2, 80, schedule)))
          .isLessThan(distance(exact, end(1, 80, schedule)) / 2);
    }
  }

  @Test
  void startsEachTrajectoryAfresh() {
    Sampler sampler =
        DpmSolverOptions.of(Algorithm.DPM_SOLVER_PLUS_PLUS)
            .over(linear(PredictionType.EPSILON, TimestepSpacing.LEADING), 10);
    try (PointerScope scope = new PointerScope()) {
      float[] first = Tensors.floats(Trajectories.golden(sampler));
      assertThat(Tensors.floats(Trajectories.golden(sampler))).containsExactly(first);
    }
  }

  @Test
  void refusesWhatDoesNotGoTogether() {
    assertThatThrownBy(
            () ->
                new DpmSolverOptions(
                    Algorithm.SDE_DPM_SOLVER_PLUS_PLUS,
                    3,
                    SolverType.MIDPOINT,
                    Sigmas.SCHEDULE,
                    true,
                    false,
                    FinalSigma.ZERO))
        .hasMessageContaining("order = 3: must be from 1 to 2");
    assertThatThrownBy(
            () ->
                new DpmSolverOptions(
                    Algorithm.DPM_SOLVER,
                    2,
                    SolverType.MIDPOINT,
                    Sigmas.SCHEDULE,
                    true,
                    false,
                    FinalSigma.ZERO))
        .hasMessageContaining("final sigma zero");
    NoiseSchedule schedule = linear(PredictionType.EPSILON, TimestepSpacing.LEADING);
    assertThatThrownBy(
            () -> DpmSolverOptions.of(Algorithm.DPM_SOLVER_PLUS_PLUS).over(schedule, 1000))
        .hasMessage("steps = 1000: must be from 1 to 999, the schedule has 1000");
  }

  private static double distance(Tensor a, Tensor b) {
    return a.sub(b).abs().mean().item_double();
  }

  private static Tensor end(int order, int steps, NoiseSchedule schedule) {
    return Trajectories.golden(
        options(order, SolverType.MIDPOINT, Sigmas.SCHEDULE).over(schedule, steps));
  }

  private static DpmSolverOptions options(int order, SolverType type, Sigmas sigmas) {
    return new DpmSolverOptions(
        Algorithm.DPM_SOLVER_PLUS_PLUS, order, type, sigmas, false, false, FinalSigma.SIGMA_MIN);
  }

  private static NoiseSchedule linear(PredictionType type, TimestepSpacing spacing) {
    return new NoiseSchedule(
        new SchedulerConfig(
            Betas.of(BetaSchedule.LINEAR, 1000, 0.0001, 0.02), type, 0, true, 0, spacing));
  }
}
