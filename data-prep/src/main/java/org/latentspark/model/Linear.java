package org.latentspark.model;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.latentspark.tensor.Initializer;
import org.latentspark.tensor.Parameter;
import org.latentspark.tensor.ParameterScope;
import org.latentspark.tensor.Tensors;

/** An affine map of the last dimension: [..., in] to [..., out]. */
public final class Linear {
  private final Parameter weight;
  private final Parameter bias;

  private Linear(Parameter weight, Parameter bias) {
    this.weight = weight;
    this.bias = bias;
  }

  /** Declares weight [out, in] and bias [out] under {@code scope}. */
  public static Linear withBias(ParameterScope scope, long in, long out) {
    return of(scope, in, out, Initializer.fanIn(in), Initializer.fanIn(in));
  }

  /** Declares weight [out, in] alone under {@code scope}. */
  public static Linear withoutBias(ParameterScope scope, long in, long out) {
    return of(scope, in, out, Initializer.fanIn(in), null);
  }

  /** Declares weight and, where {@code bias} is not null, bias with the given starting values. */
  public static Linear of(
      ParameterScope scope, long in, long out, Initializer weight, Initializer bias) {
    return new Linear(
        scope.declare("weight", weight, out, in),
        bias == null ? null : scope.declare("bias", bias, out));
  }

  /** Maps {@code input} [..., in] to [..., out]. */
  public Tensor forward(Tensor input) {
    return torch.linear(
        input, weight.tensor(), Tensors.optional(bias == null ? null : bias.tensor()));
  }
}
