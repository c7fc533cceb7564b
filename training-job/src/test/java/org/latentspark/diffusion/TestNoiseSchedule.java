package org.latentspark.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.assertj.core.data.Percentage;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.latentspark.tensor.Tensors;

class TestNoiseSchedule {
  private static final Percentage FOUR_DIGITS = Percentage.withPercentage(0.02);

  @ParameterizedTest
  @CsvSource({
    "LINEAR, 1e-4, 0.02, 4.036e-5, 157.407, 0.0100",
    "SCALED_LINEAR, 0.00085, 0.012, 4.6601e-3, 14.6146, 0.029167",
  })
  void endsWithTheKnownNoise(
      BetaSchedule kind,
      double start,
      double end,
      double alphaBar,
      double largestSigma,
      double smallestSigma) {
    NoiseSchedule schedule = schedule(kind, start, end, PredictionType.EPSILON);
    assertThat(schedule.alphaBar(999)).isCloseTo(alphaBar, FOUR_DIGITS);
    assertThat(sigma(schedule, 999)).isCloseTo(largestSigma, FOUR_DIGITS);
    assertThat(sigma(schedule, 0)).isCloseTo(smallestSigma, FOUR_DIGITS);
  }

  @ParameterizedTest
  @CsvSource({"0, 0.00643", "999, 20291"})
  void cosineEndsWithTheKnownNoise(int t, double sigma) {
    NoiseSchedule schedule =
        schedule(BetaSchedule.SQUAREDCOS_CAP_V2, 1e-4, 0.02, PredictionType.EPSILON);
    assertThat(sigma(schedule, t)).isCloseTo(sigma, Percentage.withPercentage(0.1));
  }

  @ParameterizedTest
  @EnumSource(PredictionType.class)
  void aPerfectPredictionGivesBackSampleAndNoise(PredictionType type) {
    NoiseSchedule schedule = schedule(BetaSchedule.SCALED_LINEAR, 0.00085, 0.012, type);
    try (PointerScope scope = new PointerScope()) {
      Tensor clean = Tensors.of(new float[] {0.5f, -1, 2, 0.1f}, 1, 4);
      Tensor noise = Tensors.of(new float[] {-0.3f, 1.5f, 0, -2}, 1, 4);
      for (int t : new int[] {0, 500, 999}) {
        Tensor timesteps = Tensors.of(new long[] {t}, 1);
        Tensor noised = schedule.addNoise(clean, noise, timesteps);
        Tensor target = schedule.target(clean, noise, timesteps);
        double a = Math.sqrt(schedule.alphaBar(t));
        double s = Math.sqrt(1 - schedule.alphaBar(t));
        assertThat(Tensors.floats(noised)[1]).isCloseTo((float) (-a + 1.5 * s), within(1e-6f));
        assertThat(Tensors.floats(type.clean(noised, target, a, s)))
            .containsExactly(Tensors.floats(clean), within(1e-4f));
        assertThat(Tensors.floats(type.noise(noised, target, a, s)))
            .containsExactly(Tensors.floats(noise), within(1e-4f));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"0", "999"})
  void tellsTheSignalToNoiseRatio(int t) {
    NoiseSchedule schedule = new NoiseSchedule(SchedulerConfig.STABLE_DIFFUSION);
    try (PointerScope scope = new PointerScope()) {
      assertThat((double) Tensors.floats(schedule.snr(Tensors.of(new long[] {t}, 1)))[0])
          .isCloseTo(schedule.snr(t), FOUR_DIGITS)
          .isCloseTo(1 / Math.pow(sigma(schedule, t), 2), FOUR_DIGITS);
    }
  }

  /** Algorithm 1 of Lin et al., 2024: the first step stays, the last one has no signal. */
  @Test
  void rescalesToEndWithoutSignal() {
    Betas published = SchedulerConfig.STABLE_DIFFUSION.betas();
    double[] before = published.alphaBars();
    double[] after = published.endingWithoutSignal().alphaBars();
    assertThat(after[0]).isCloseTo(before[0], within(1e-12));
    assertThat(after[999]).isZero();
    assertThat(after[998]).isBetween(1e-8, before[998]);
    assertThat(Arrays.stream(after).boxed().toList())
        .isSortedAccordingTo(Comparator.reverseOrder());
  }

  @ParameterizedTest
  @CsvSource({"EPSILON, 1", "V_PREDICTION, 0", "SAMPLE, 0"})
  void minSnrWeightsAreFiniteWithoutSignal(PredictionType type, float weight) {
    SchedulerConfig config =
        new SchedulerConfig(
            SchedulerConfig.STABLE_DIFFUSION.betas().endingWithoutSignal(),
            type,
            0,
            false,
            0,
            TimestepSpacing.TRAILING);
    try (PointerScope scope = new PointerScope()) {
      Tensor weights = new NoiseSchedule(config).minSnrWeights(Tensors.of(new long[] {999}, 1), 5);
      assertThat(Tensors.floats(weights)).containsExactly(weight);
    }
  }

  @Test
  void refusesBetasThatMakeNoSense() {
    assertThatThrownBy(() -> Betas.of(BetaSchedule.LINEAR, 1000, 0, 0.02))
        .hasMessage("beta_start = 0.0: must be above 0");
    assertThatThrownBy(() -> Betas.of(BetaSchedule.LINEAR, 1000, 0.1, 1))
        .hasMessage("beta_end = 1.0: must be from beta_start to below 1");
    assertThatThrownBy(() -> Betas.trained(List.of(0.1, 1.5)))
        .hasMessage("trained_betas = 1.5: must be above 0 and below 1");
    assertThatThrownBy(() -> new Betas(3, BetaSchedule.LINEAR, 0.1, 0.2, List.of(0.1, 0.2), false))
        .hasMessageContaining("trained_betas = 2 numbers: must be as many as num_train_timesteps");
  }

  private static double sigma(NoiseSchedule schedule, int t) {
    return Math.sqrt((1 - schedule.alphaBar(t)) / schedule.alphaBar(t));
  }

  private static NoiseSchedule schedule(
      BetaSchedule kind, double start, double end, PredictionType type) {
    return new NoiseSchedule(
        new SchedulerConfig(
            Betas.of(kind, 1000, start, end), type, 0, true, 0, TimestepSpacing.LEADING));
  }
}
