package org.latentspark.model;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.latentspark.tensor.Initializer;
import org.latentspark.tensor.Parameter;
import org.latentspark.tensor.ParameterScope;

/** Layer normalization of the last dimension (Ba et al., 2016). */
public final class LayerNorm {
  private final Parameter weight;
  private final Parameter bias;
  private final long[] shape;
  private final double epsilon;

  /** Declares weight and bias [width] under {@code scope}. */
  public LayerNorm(ParameterScope scope, long width, double epsilon) {
    this.weight = scope.declare("weight", Initializer.constant(1), width);
    this.bias = scope.declare("bias", Initializer.constant(0), width);
    this.shape = new long[] {width};
    this.epsilon = epsilon;
  }

  /** Normalizes {@code input} [..., width]. */
  public Tensor forward(Tensor input) {
    return torch.layer_norm(
        input,
        shape,
        new TensorOptional(weight.tensor()),
        new TensorOptional(bias.tensor()),
        epsilon,
        true);
  }
}
