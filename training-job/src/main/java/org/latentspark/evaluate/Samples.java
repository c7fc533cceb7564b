package org.latentspark.evaluate;

import java.util.Arrays;

/** Mean and spread of measured numbers. */
final class Samples {
  private Samples() {}

  static double mean(double[] values) {
    return Arrays.stream(values).average().orElseThrow();
  }

  /** Returns the standard deviation with n - 1 in the denominator. */
  static double deviation(double[] values) {
    return Math.sqrt(squares(values) / (values.length - 1));
  }

  /** Returns the sum of the squared distances from the mean. */
  static double squares(double[] values) {
    double mean = mean(values);
    return Arrays.stream(values).map(value -> (value - mean) * (value - mean)).sum();
  }
}
