package org.latentspark.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class TestInterval {
  private static final int ROWS = 400;

  @Test
  void theBootstrapOfAMeanHasTheWidthOfItsStandardError() {
    double[] values = gaussian(3);
    Interval interval = Interval.ofMean(values, 1);
    double error = Samples.deviation(values) / Math.sqrt(ROWS);
    assertThat(interval.value()).isEqualTo(Samples.mean(values));
    assertThat(interval.high() - interval.low()).isEqualTo(2 * 1.96 * error, within(0.3 * error));
    assertThat(Interval.ofMean(values, 1)).isEqualTo(interval);
  }

  @Test
  void theJackknifeOfAMeanIsCentredWithTheSameWidth() {
    double[] values = gaussian(4);
    Interval interval =
        Interval.ofGroups(
            ROWS,
            ROWS,
            rows -> Samples.mean(Arrays.stream(rows).mapToDouble(r -> values[(int) r]).toArray()));
    double error = Samples.deviation(values) / Math.sqrt(ROWS);
    assertThat(interval.value()).isEqualTo(Samples.mean(values), within(1e-12));
    assertThat(interval.high() - interval.low()).isEqualTo(2 * 1.96 * error, within(1e-3 * error));
    assertThat(interval.high() - interval.value())
        .isEqualTo(interval.value() - interval.low(), within(1e-12));
  }

  @Test
  void intervalsOfEqualValuesAreOnePoint() {
    double[] values = new double[10];
    Arrays.fill(values, 2.5);
    assertThat(Interval.ofMean(values, 1)).isEqualTo(new Interval(2.5, 2.5, 2.5));
  }

  private static double[] gaussian(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    double[] values = new double[ROWS];
    for (int row = 0; row < ROWS; row++) {
      values[row] = 1 + 2 * random.nextGaussian();
    }
    return values;
  }
}
