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
    NoiseSchedule schedule =
        new NoiseSchedule(
            new SchedulerConfig(
                1000,
                BetaSchedule.LINEAR,
                betaStart,
                0.02,
                type,
                1,
                alphaToOne,
                0,
                TimestepSpacing.LEADING));
    DdimSampler sampler = new DdimSampler(schedule, 10, 0);
    try (PointerScope scope = new PointerScope()) {
      Tensor sample = goldenStart();
      for (int t : sampler.timesteps()) {
        sample = sampler.step(sample.mul(new Scalar(t / (t + 1.0))), t, sample, null);
      }
      assertThat(sample.abs().sum().item_double()).isCloseTo(sum, within(1e-2));
      assertThat(sample.abs().mean().item_double()).isCloseTo(mean, within(1e-3));
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
    DdimSampler sampler = new DdimSampler(schedule, 4, 1);
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
  void refusesStepsBeyondTheSchedule() {
    NoiseSchedule schedule = new NoiseSchedule(SchedulerConfig.STABLE_DIFFUSION);
    assertThatThrownBy(() -> new DdimSampler(schedule, 1001, 0))
        .hasMessage("steps = 1001: must be from 1 to the 1000 trained steps");
    assertThatThrownBy(() -> new DdimSampler(schedule, 1000, 0).timesteps())
        .hasMessage("steps_offset = 1: step 1000 is beyond the 1000 trained steps");
    assertThatThrownBy(() -> new DdimSampler(schedule, 10, -0.1))
        .hasMessageContaining("eta = -0.1");
  }

  private static int[] steps(TimestepSpacing spacing, int offset, int count) {
    return spacing.timesteps(1000, count, offset);
  }

  /** 0 to 767 over 768, laid out (3, 8, 8, 4) and permuted to (4, 3, 8, 8). */
  private static Tensor goldenStart() {
    float[] values = new float[768];
    for (int i = 0; i < values.length; i++) {
      values[i] = i / 768f;
    }
    return Tensors.of(values, 3, 8, 8, 4).permute(3, 0, 1, 2);
  }
}
