package org.latentspark.averaging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class TestLearningRate {
  private static final LearningRate RATE = new LearningRate(0.2, 10, 0.3, 0.1, 100);

  @Test
  void risesFromTheFirstStepToThePeak() {
    assertThat(RATE.at(0)).isCloseTo(0.02, within(1e-12));
    assertThat(RATE.at(4)).isCloseTo(0.1, within(1e-12));
    assertThat(RATE.at(9)).isCloseTo(0.2, within(1e-12));
  }

  @Test
  void staysAtThePeakForItsShareOfTheSteps() {
    for (long step = 9; step < 30; step++) {
      assertThat(RATE.at(step)).as("step %s", step).isEqualTo(0.2);
    }
    assertThat(RATE.at(30)).isLessThan(0.2);
  }

  @Test
  void fallsInACosineToTheLastStepsShare() {
    for (long step = 30; step < 100; step++) {
      assertThat(RATE.at(step)).as("step %s", step).isLessThan(RATE.at(step - 1));
    }
    assertThat(RATE.at(64)).as("half way").isCloseTo(0.5 * (0.2 + 0.02), within(1e-12));
    assertThat(RATE.at(99)).as("last step").isCloseTo(0.02, within(1e-12));
    assertThat(RATE.at(5000)).as("beyond the last step").isCloseTo(0.02, within(1e-12));
  }

  @Test
  void shareOfOneKeepsTheRate() {
    assertThat(new LearningRate(0.2, 0, 0.3, 1, 100).at(99)).isEqualTo(0.2);
    assertThat(LearningRate.constant(0.01).at(0)).isEqualTo(0.01);
    assertThat(LearningRate.constant(0.01).at(1_000_000)).isEqualTo(0.01);
  }

  @Test
  void warmUpLongerThanTheRunIsFinite() {
    LearningRate rate = new LearningRate(1, 200, 0.3, 0.1, 100);
    assertThat(rate.at(99)).isCloseTo(0.5, within(1e-12));
    assertThat(rate.at(199)).isEqualTo(1);
    assertThat(rate.at(200)).isBetween(0.1, 1.0);
  }
}
