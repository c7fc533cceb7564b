package org.latentspark.evaluate;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * How far two sets of features cover each other, each set's manifold being the balls around its
 * members that reach to the k-th nearest other member (Kynkäänniemi et al., "Improved precision and
 * recall metric for assessing generative models", 2019).
 *
 * @param precision share of the generated inside the manifold of the real: quality
 * @param recall share of the real inside the manifold of the generated: diversity
 */
record Manifolds(double precision, double recall) {
  private static final long ROWS = 1024;
  private static final LongOptional EXACT = new LongOptional(2); // no matrix product for distances

  /**
   * Measures both shares.
   *
   * @param real features [n, d]
   * @param generated features [m, d]
   * @param neighbours k, below n and m
   */
  static Manifolds of(Tensor real, Tensor generated, int neighbours) {
    try (PointerScope scope = new PointerScope()) {
      Tensor one = real.to(ScalarType.Double);
      Tensor other = generated.to(ScalarType.Double);
      return new Manifolds(
          inside(other, one, radii(one, neighbours)), inside(one, other, radii(other, neighbours)));
    }
  }

  /** Returns the distance [n] of each row to its k-th nearest other row. */
  private static Tensor radii(Tensor members, int neighbours) {
    TensorVector parts = new TensorVector();
    for (long from = 0; from < members.size(0); from += ROWS) {
      // The nearest of all is the row itself.
      parts.push_back(distances(members, from, members).kthvalue(neighbours + 1, 1, false).get0());
    }
    return torch.cat(parts, 0);
  }

  /** Returns the share of {@code points} in the ball around at least one of {@code members}. */
  private static double inside(Tensor points, Tensor members, Tensor radii) {
    double count = 0;
    for (long from = 0; from < points.size(0); from += ROWS) {
      try (PointerScope scope = new PointerScope()) {
        count += distances(points, from, members).le(radii).any(1).sum().item_double();
      }
    }
    return count / points.size(0);
  }

  private static Tensor distances(Tensor points, long from, Tensor members) {
    long rows = Math.min(ROWS, points.size(0) - from);
    return torch.cdist(points.narrow(0, from, rows), members, 2, EXACT);
  }
}
