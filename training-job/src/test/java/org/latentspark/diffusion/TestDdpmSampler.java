package org.latentspark.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.latentspark.tensor.Tensors;

class TestDdpmSampler {
  /** The variances that diffusers publishes in its own tests of DDPMScheduler. */
  @ParameterizedTest
  @CsvSource({"0, 0", "487, 0.00979", "999, 0.02"})
  void hasTheKnownVariances(int t, double variance) {
    DdpmSampler sampler = sampler(DdpmSampler.Variance.FIXED_SMALL);
    assertThat(sampler.variance(999 - t)).isCloseTo(variance, within(1e-5));
  }

  @Test
  void theLargeVarianceIsBeta() {
    DdpmSampler sampler = sampler(DdpmSampler.Variance.FIXED_LARGE);
    assertThat(sampler.variance(0)).isCloseTo(0.02, within(1e-12));
    assertThat(sampler.variance(998)).isCloseTo(0.0001 + 0.0199 / 999, within(1e-12));
    assertThat(sampler.variance(999)).isZero();
  }

  @Test
  void visitsAllStepsOfStableDiffusionsFileInSpiteOfItsOffset() {
    int[] timesteps =
        new DdpmSampler.Options(DdpmSampler.Variance.FIXED_SMALL)
            .over(new NoiseSchedule(SchedulerConfig.STABLE_DIFFUSION), 1000)
            .timesteps();
    assertThat(timesteps).hasSize(1000).startsWith(999).endsWith(0);
  }

  @Test
  void bringsBackTheDataThatAPerfectNetworkKnows() {
    // The exact noise prediction for data that is one point: the end must be that point.
    NoiseSchedule schedule = new NoiseSchedule(SchedulerConfig.STABLE_DIFFUSION);
    double point = 0.7;
    Denoiser perfect =
        (noised, t) -> {
          double signal = Math.sqrt(schedule.alphaBar(t));
          return noised
              .sub(new Scalar(signal * point))
              .div(new Scalar(Math.sqrt(1 - schedule.alphaBar(t))));
        };
    try (PointerScope scope = new PointerScope()) {
      Tensor place = Tensors.of(new float[1], 1);
      Tensor sample =
          new DdpmSampler.Options(DdpmSampler.Variance.FIXED_SMALL)
              .over(schedule, 1000)
              .sample(perfect, new SeededNoise(new long[] {7}, 1, 4, 4), place);
      assertThat(sample.sub(new Scalar(point)).abs().max().item_double()).isLessThan(1e-4);
    }
  }

  private static DdpmSampler sampler(DdpmSampler.Variance variance) {
    SchedulerConfig config =
        new SchedulerConfig(
            Betas.of(BetaSchedule.LINEAR, 1000, 0.0001, 0.02),
            PredictionType.EPSILON,
            0,
            true,
            0,
            TimestepSpacing.LEADING);
    return new DdpmSampler(new NoiseSchedule(config), 1000, new DdpmSampler.Options(variance));
  }
}
