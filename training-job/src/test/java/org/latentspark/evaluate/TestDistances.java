package org.latentspark.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.latentspark.tensor.Natives;
import org.latentspark.tensor.Seeds;

class TestDistances {
  private PointerScope scope;

  @BeforeEach
  void enter() {
    Natives.load();
    scope = new PointerScope();
  }

  @AfterEach
  void leave() {
    scope.close();
  }

  @Test
  void equalFeaturesAreAtNoFrechetDistance() {
    Tensor features = gaussian(1, 20, 50);
    assertThat(FrechetDistance.between(features, features.clone())).isEqualTo(0, within(1e-5));
  }

  @Test
  void aShiftCountsByItsSquare() {
    Tensor features = gaussian(1, 100, 8);
    assertThat(FrechetDistance.between(features, features.add(new Scalar(0.5))))
        .isEqualTo(8 * 0.25, within(1e-6));
  }

  @Test
  void theKernelDistanceIsUnbiasedBetweenSamplesOfOneDistribution() {
    KernelDistance same =
        KernelDistance.ofSubsets(gaussian(1, 400, 8), gaussian(2, 400, 8), 50, 100, 7);
    KernelDistance shifted =
        KernelDistance.ofSubsets(
            gaussian(1, 400, 8), gaussian(2, 400, 8).add(new Scalar(1.0)), 50, 100, 7);
    assertThat(same.mean()).isEqualTo(0, within(0.1));
    assertThat(same.deviation()).isPositive();
    assertThat(shifted.mean()).isGreaterThan(10 * Math.abs(same.mean()));
  }

  @Test
  void theSeedNamesTheSubsets() {
    Tensor first = gaussian(1, 60, 8);
    Tensor second = gaussian(2, 60, 8);
    KernelDistance measured = KernelDistance.ofSubsets(first, second, 5, 20, 7);
    assertThat(KernelDistance.ofSubsets(first, second, 5, 20, 7)).isEqualTo(measured);
    assertThat(KernelDistance.ofSubsets(first, second, 5, 20, 8)).isNotEqualTo(measured);
  }

  @Test
  void whatIsFarAwayIsNeitherPreciseNorRecalled() {
    Tensor real = gaussian(1, 60, 8);
    assertThat(Manifolds.of(real, real.clone(), 3)).isEqualTo(new Manifolds(1, 1));
    assertThat(Manifolds.of(real, real.add(new Scalar(100.0)), 3)).isEqualTo(new Manifolds(0, 0));
  }

  @Test
  void picturesOfOneKindArePreciseButRecallLittle() {
    Tensor real = gaussian(1, 200, 8);
    Manifolds collapsed = Manifolds.of(real, gaussian(2, 200, 8).mul(new Scalar(0.05)), 3);
    assertThat(collapsed.precision()).isGreaterThan(0.9);
    assertThat(collapsed.recall()).isLessThan(0.1);
  }

  @Test
  void rowsBeyondOneBlockAreMeasuredToo() {
    Tensor real = gaussian(1, 1500, 2);
    assertThat(Manifolds.of(real, real.clone(), 3)).isEqualTo(new Manifolds(1, 1));
  }

  private static Tensor gaussian(long seed, long... shape) {
    return torch.randn(shape, Seeds.generator(seed));
  }
}
