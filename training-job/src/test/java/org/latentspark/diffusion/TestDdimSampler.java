package org.latentspark.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.latentspark.tensor.Tensors;

class TestDdimSampler {
  /** Golden sums that diffusers publishes in its own tests of DDIMScheduler. */
  @ParameterizedTest
  @CsvSource({
    "0.0001, EPSILON, true, 172.0067, 0.223967",
    "0.0001, V_PREDICTION, true, 52.5302, 0.0684",
    "0.01, EPSILON, true, 149.8295, 0.1951",
    "0.01, EPSILON, false, 149.0784, 0.1941",
  })
  void reachesTheGoldenSums(
      double betaStart, PredictionType type, boolean alphaToOne, double sum, double mean) {
    SchedulerConfig config =
        new SchedulerConfig(
            Betas.of(BetaSchedule.LINEAR, 1000, betaStart, 0.02),
            type,
            1,
            alphaToOne,
            0,
            TimestepSpacing.LEADING);
    Sampler sampler = new DdimSampler.Options(0).over(new NoiseSchedule(config), 10);
    try (PointerScope scope = new PointerScope()) {
      Tensor sample = Trajectories.golden(sampler);
      assertThat(sample.abs().sum().item_double()).isCloseTo(sum, within(1e-2));
      assertThat(sample.abs().mean().item_double()).isCloseTo(mean, within(1e-4));
    }
  }

  @Test
  void visitsThePublishedSteps() {
    assertThat(steps(TimestepSpacing.LEADING, 1, 5)).containsExactly(801, 601, 401, 201, 1);
    assertThat(steps(TimestepSpacing.TRAILING, 1, 5)).containsExactly(999, 799, 599, 399, 199);
    assertThat(steps(TimestepSpacing.LINSPACE, 1, 5)).containsExactly(999, 749, 500, 250, 0);
    assertThat(steps(TimestepSpacing.TRAILING, 0, 3)).containsExactly(999, 666, 332);
  }

  @Test
  void drawsEachPictureFromItsOwnSeed() {
    NoiseSchedule schedule = new NoiseSchedule(SchedulerConfig.STABLE_DIFFUSION);
    Sampler sampler = new DdimSampler.Options(1).over(schedule, 4);
    Denoiser half = (noised, t) -> noised.mul(new Scalar(0.5));
    try (PointerScope scope = new PointerScope()) {
      long[] shape = {1, 2, 2};
      Tensor place = Tensors.of(new float[1], 1);
      float[] pair =
          Tensors.floats(sampler.sample(half, new SeededNoise(new long[] {5, 6}, shape), place));
      float[] alone =
          Tensors.floats(sampler.sample(half, new SeededNoise(new long[] {6}, shape), place));
      assertThat(new float[] {pair[4], pair[5], pair[6], pair[7]})
          .containsExactly(alone, within(1e-6f));
      assertThat(pair[0]).isNotEqualTo(pair[4]);
    }
  }

  @Test
  void leavesTheOffsetOutWhereAllStepsAreVisited() {
    assertThat(steps(TimestepSpacing.LEADING, 1, 1000)).startsWith(999, 998).endsWith(1, 0);
    assertThat(steps(TimestepSpacing.LEADING, 5, 333)).startsWith(999, 996).endsWith(3);
  }

  @Test
  void endsWithTheCleanSampleFromPureNoise() {
    SchedulerConfig config =
        new SchedulerConfig(
            SchedulerConfig.STABLE_DIFFUSION.betas().endingWithoutSignal(),
            PredictionType.V_PREDICTION,
            0,
            true,
            0,
            TimestepSpacing.TRAILING);
    Sampler sampler = new DdimSampler.Options(1).over(new NoiseSchedule(config), 10);
    try (PointerScope scope = new PointerScope()) {
      Tensor sample =
          sampler.sample(Trajectories::predict, Trajectories::noise, Tensors.of(new float[1], 1));
      assertThat(sample.isfinite().all().item_bool()).isTrue();
    }
  }

  @Test
  void refusesWhatTheScheduleDoesNotAllow() {
    NoiseSchedule schedule = new NoiseSchedule(SchedulerConfig.STABLE_DIFFUSION);
    assertThatThrownBy(() -> new DdimSampler.Options(0).over(schedule, 1001))
        .hasMessage("steps = 1001: must be from 1 to 1000, the schedule has 1000");
    assertThatThrownBy(() -> new DdimSampler.Options(-0.1)).hasMessageContaining("eta = -0.1");
    SchedulerConfig blind =
        new SchedulerConfig(
            SchedulerConfig.STABLE_DIFFUSION.betas().endingWithoutSignal(),
            PredictionType.EPSILON,
            0,
            true,
            0,
            TimestepSpacing.TRAILING);
    assertThatThrownBy(() -> new DdimSampler.Options(0).over(new NoiseSchedule(blind), 10))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("prediction_type must be v_prediction or sample, not epsilon");
  }

  private static int[] steps(TimestepSpacing spacing, int offset, int count) {
    return spacing.timesteps(1000, count, offset);
  }
}
