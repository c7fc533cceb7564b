package org.latentspark.evaluate;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.latentspark.tensor.Seeds;

/**
 * The kernel distance between two sets of features (Bińkowski et al., "Demystifying MMD GANs",
 * 2018): the unbiased squared maximum mean discrepancy under (x.y / d + 1)^3. It may be negative.
 *
 * @param mean over random subsets
 * @param deviation over the same, with n - 1 in the denominator
 */
record KernelDistance(double mean, double deviation) {
  private static final long FIRST = 1;
  private static final long SECOND = 2;

  /**
   * Measures random subsets.
   *
   * @param first features [n, d]
   * @param second features [m, d]
   * @param subsets how many, at least 2
   * @param size rows of each, drawn without replacement, at least 2 and at most n and m
   * @param seed of the draws
   */
  static KernelDistance ofSubsets(Tensor first, Tensor second, int subsets, int size, long seed) {
    double[] distances = new double[subsets];
    for (int subset = 0; subset < subsets; subset++) {
      try (PointerScope scope = new PointerScope()) {
        distances[subset] =
            between(
                draw(first, size, seed, FIRST, subset), draw(second, size, seed, SECOND, subset));
      }
    }
    return new KernelDistance(Samples.mean(distances), Samples.deviation(distances));
  }

  /** Returns the distance between all of {@code first} [n, d] and {@code second} [m, d]. */
  static double between(Tensor first, Tensor second) {
    try (PointerScope scope = new PointerScope()) {
      Tensor one = first.to(ScalarType.Double);
      Tensor other = second.to(ScalarType.Double);
      return within(one) + within(other) - 2 * kernel(one, other).mean().item_double();
    }
  }

  private static Tensor draw(Tensor features, int size, long seed, long side, int subset) {
    Tensor order = torch.randperm(features.size(0), Seeds.generator(seed, side, subset));
    return features.index_select(0, order.to(ScalarType.Long).narrow(0, 0, size));
  }

  /** Returns the kernel's mean over all pairs of two different rows. */
  private static double within(Tensor features) {
    Tensor values = kernel(features, features);
    double rows = features.size(0);
    return values.sum().sub(values.trace()).item_double() / (rows * (rows - 1));
  }

  private static Tensor kernel(Tensor first, Tensor second) {
    return first
        .matmul(second.t())
        .div(new Scalar((double) first.size(1)))
        .add(new Scalar(1.0))
        .pow(new Scalar(3.0));
  }
}
