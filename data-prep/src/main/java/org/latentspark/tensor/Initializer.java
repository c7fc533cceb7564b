package org.latentspark.tensor;

import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Fills a fresh parameter with its starting values, drawing only from the generator it is given.
 */
@FunctionalInterface
public interface Initializer {
  /** Writes the starting values into {@code values} in place. */
  void fill(Tensor values, GeneratorOptional generator);

  /** Returns an initializer that sets every value to {@code value}. */
  static Initializer constant(double value) {
    return (values, generator) -> values.fill_(new Scalar(value));
  }

  /** Returns an initializer that draws from a normal distribution of mean 0. */
  static Initializer normal(double standardDeviation) {
    return (values, generator) -> values.normal_(0, standardDeviation, generator);
  }

  /**
   * Returns PyTorch's default for linear and convolution weights and biases: uniform within 1 /
   * sqrt(fan-in).
   */
  static Initializer fanIn(long fanIn) {
    double bound = 1 / Math.sqrt(fanIn);
    return (values, generator) -> values.uniform_(-bound, bound, generator);
  }

  /** Returns this initializer with its values multiplied by {@code factor}. */
  default Initializer scaled(double factor) {
    return (values, generator) -> {
      fill(values, generator);
      values.mul_(new Scalar(factor));
    };
  }
}
