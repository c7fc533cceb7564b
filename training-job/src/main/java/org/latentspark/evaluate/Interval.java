package org.latentspark.evaluate;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * A figure with its confidence interval of 95 %.
 *
 * @param value the figure, from everything that was measured
 * @param low where the interval begins
 * @param high where it ends
 */
record Interval(double value, double low, double high) {
  private static final int RESAMPLES = 1000;
  private static final double TAIL = 0.025;

  /** Standard deviations from the middle of a normal distribution to its upper tail. */
  private static final double NORMAL = 1.959964;

  /** Returns this with an interval that leaves out what the figure cannot be. */
  Interval clipped(double least, double most) {
    return new Interval(value, Math.max(least, low), Math.min(most, high));
  }

  /**
   * Returns the mean of independent values between the percentiles of the means of a thousand
   * resamples with replacement (Efron, "Bootstrap methods: another look at the jackknife", 1979).
   */
  static Interval ofMean(double[] values, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    double[] means = new double[RESAMPLES];
    for (int resample = 0; resample < RESAMPLES; resample++) {
      double sum = 0;
      for (int draw = 0; draw < values.length; draw++) {
        sum += values[random.nextInt(values.length)];
      }
      means[resample] = sum / values.length;
    }
    Arrays.sort(means);
    int outside = (int) Math.round(TAIL * RESAMPLES);
    return new Interval(Samples.mean(values), means[outside], means[RESAMPLES - 1 - outside]);
  }

  /**
   * Returns a figure of all rows with the normal interval of the delete-a-group jackknife (Shao and
   * Wu, "A general theory for jackknife variance estimation", 1989). Distances and manifolds cannot
   * be resampled with replacement: a row drawn twice is its own nearest neighbour, and fewer
   * different rows look further away.
   *
   * @param rows how many there are
   * @param groups parts left out in turn, at least 2 and at most {@code rows}
   * @param figure of the rows with the given numbers, ascending
   */
  static Interval ofGroups(int rows, int groups, ToDoubleFunction<long[]> figure) {
    double[] without = new double[groups];
    for (int group = 0; group < groups; group++) {
      int left = group;
      without[group] =
          figure.applyAsDouble(
              IntStream.range(0, rows)
                  .filter(row -> row % groups != left)
                  .asLongStream()
                  .toArray());
    }
    double all = figure.applyAsDouble(IntStream.range(0, rows).asLongStream().toArray());
    double error = Math.sqrt((groups - 1.0) / groups * Samples.squares(without));
    return new Interval(all, all - NORMAL * error, all + NORMAL * error);
  }
}
