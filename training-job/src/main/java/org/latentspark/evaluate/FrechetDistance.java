package org.latentspark.evaluate;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The Fréchet distance between the Gaussians that fit two sets of features (Heusel et al., "GANs
 * trained by a two time-scale update rule converge to a local Nash equilibrium", 2017): |m1 - m2|^2
 * + tr(S1 + S2 - 2 (S1 S2)^(1/2)).
 */
final class FrechetDistance {
  private FrechetDistance() {}

  /**
   * Returns the distance in fp64, at least 0.
   *
   * @param first features [n, d], n at least 2
   * @param second features [m, d], m at least 2
   */
  static double between(Tensor first, Tensor second) {
    try (PointerScope scope = new PointerScope()) {
      Tensor one = first.to(ScalarType.Double);
      Tensor other = second.to(ScalarType.Double);
      double means = one.mean(0).sub(other.mean(0)).square().sum().item_double();
      Tensor scaled = centred(one);
      Tensor otherScaled = centred(other);
      double traces = scaled.square().sum().add(otherScaled.square().sum()).item_double();
      double root =
          Math.max(one.size(0), other.size(0)) < one.size(1)
              ? rootTraceOfFew(scaled, otherScaled)
              : rootTrace(scaled.t().matmul(scaled), otherScaled.t().matmul(otherScaled));
      return Math.max(0, means + traces - 2 * root);
    }
  }

  /** Returns C [n, d] of which the covariance is C^T C. */
  private static Tensor centred(Tensor features) {
    return features.sub(features.mean(0)).div(new Scalar(Math.sqrt(features.size(0) - 1.0)));
  }

  /**
   * Returns tr((S1 S2)^(1/2)) where rows are fewer than columns: with S1 = C^T C and S2 = D^T D,
   * the eigenvalues of S1 S2 are those of (C D^T)^T C D^T, so their roots are the singular values
   * of C D^T [n, m].
   */
  private static double rootTraceOfFew(Tensor first, Tensor second) {
    return torch.linalg_svdvals(first.matmul(second.t())).sum().item_double();
  }

  /**
   * Returns tr((S1 S2)^(1/2)). With S1 = A A^T, S1 S2 has the eigenvalues of A^T S2 A, which is
   * symmetric, so that no product of covariances need have a root of its own: singular ones, from
   * fewer pictures than dimensions, are no special case.
   */
  private static double rootTrace(Tensor first, Tensor second) {
    T_TensorTensor_T decomposed = torch.linalg_eigh(first);
    Tensor root = decomposed.get1().mul(positive(decomposed.get0()).sqrt());
    Tensor product = root.t().matmul(second).matmul(root);
    // Rounding leaves the product a little less than symmetric.
    Tensor symmetric = product.add(product.t()).mul(new Scalar(0.5));
    return positive(torch.linalg_eigvalsh(symmetric)).sqrt().sum().item_double();
  }

  /** Eigenvalues of a positive semi-definite matrix that rounding put below 0 are 0. */
  private static Tensor positive(Tensor eigenvalues) {
    return eigenvalues.clamp_min(new Scalar(0.0));
  }
}
