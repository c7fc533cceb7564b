package org.latentspark.model;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.latentspark.tensor.ParameterScope;

/**
 * A residual block of two 3x3 convolutions, each after group normalization and SiLU: [B, in, H, W]
 * to [B, out, H, W] (diffusers' {@code ResnetBlock2D} with its default time embedding).
 */
public final class ResnetBlock2D {
  private final GroupNorm norm1;
  private final Conv2d conv1;
  private final Linear timeProjection;
  private final GroupNorm norm2;
  private final Conv2d conv2;
  private final Conv2d shortcut;

  /**
   * Declares the block under {@code scope}.
   *
   * @param timeChannels width of the time embedding, or 0 for a block without one
   * @param groups groups of both normalizations
   * @param epsilon added to the variances: 1e-5 in U-Nets, 1e-6 in autoencoders
   */
  public ResnetBlock2D(
      ParameterScope scope, long in, long out, long timeChannels, long groups, double epsilon) {
    this.norm1 = new GroupNorm(scope.child("norm1"), groups, in, epsilon);
    this.conv1 = new Conv2d(scope.child("conv1"), in, out, 3, 1, 1);
    this.timeProjection =
        timeChannels == 0 ? null : Linear.withBias(scope.child("time_emb_proj"), timeChannels, out);
    this.norm2 = new GroupNorm(scope.child("norm2"), groups, out, epsilon);
    this.conv2 = new Conv2d(scope.child("conv2"), out, out, 3, 1, 1);
    this.shortcut = in == out ? null : new Conv2d(scope.child("conv_shortcut"), in, out, 1, 1, 0);
  }

  /** Applies a block that has no time embedding to {@code input} [B, in, H, W]. */
  public Tensor forward(Tensor input) {
    return forward(input, null);
  }

  /**
   * Applies the block to {@code input} [B, in, H, W] and {@code time} [B, timeChannels], which is
   * null where the block has no time embedding.
   */
  public Tensor forward(Tensor input, Tensor time) {
    Tensor hidden = conv1.forward(torch.silu(norm1.forward(input)));
    if (timeProjection != null) {
      hidden = hidden.add(timeProjection.forward(torch.silu(time)).unsqueeze(-1).unsqueeze(-1));
    }
    hidden = conv2.forward(torch.silu(norm2.forward(hidden)));
    return hidden.add(shortcut == null ? input : shortcut.forward(input));
  }
}
