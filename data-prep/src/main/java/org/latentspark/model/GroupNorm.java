package org.latentspark.model;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.latentspark.tensor.Initializer;
import org.latentspark.tensor.Parameter;
import org.latentspark.tensor.ParameterScope;

/** Group normalization over channels: [B, channels, ...] to the same (Wu and He, 2018). */
public final class GroupNorm {
  private final Parameter weight;
  private final Parameter bias;
  private final long groups;
  private final double epsilon;

  /** Declares weight and bias [channels] under {@code scope}. */
  public GroupNorm(ParameterScope scope, long groups, long channels, double epsilon) {
    if (channels % groups != 0) {
      throw new IllegalArgumentException(
          "norm_num_groups " + groups + " must divide the " + channels + " channels");
    }
    this.weight = scope.declare("weight", Initializer.constant(1), channels);
    this.bias = scope.declare("bias", Initializer.constant(0), channels);
    this.groups = groups;
    this.epsilon = epsilon;
  }

  /** Normalizes {@code input} [B, channels, ...] within each group of channels. */
  public Tensor forward(Tensor input) {
    return torch.group_norm(
        input,
        groups,
        new TensorOptional(weight.tensor()),
        new TensorOptional(bias.tensor()),
        epsilon,
        false);
  }
}
