package org.latentspark.latents;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TestSplit {
  @Test
  void holdsOutTheConfiguredShare() {
    long held =
        IntStream.range(0, 20_000)
            .filter(i -> Split.of("key-" + i, 0.05, 1) == Split.VALIDATION)
            .count();
    // Binomial: 1000 +- 31 is one standard deviation.
    assertThat(held).isBetween(850L, 1150L);
  }

  @Test
  void dependsOnKeyAndSeedOnly() {
    assertThat(Split.of("some-key", 0.5, 1)).isEqualTo(Split.of("some-key", 0.5, 1));
    long different =
        IntStream.range(0, 1000)
            .filter(i -> Split.of("key-" + i, 0.5, 1) != Split.of("key-" + i, 0.5, 2))
            .count();
    assertThat(different).isBetween(400L, 600L);
  }

  @Test
  void holdsOutNothingAtZero() {
    assertThat(IntStream.range(0, 1000).mapToObj(i -> Split.of("key-" + i, 0, 1)))
        .containsOnly(Split.TRAIN);
  }
}
