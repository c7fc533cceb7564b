package org.latentspark.model;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.latentspark.tensor.ParameterScope;

/** Halves height and width by a convolution of stride 2: [B, C, H, W] to [B, C, H/2, W/2]. */
public final class Downsample2D {
  /** Where the zeros around the input go. */
  public enum Padding {
    /** One on every side, as U-Nets do. */
    AROUND,
    /** One right and one below, as autoencoders do. */
    AFTER
  }

  private static final long[] RIGHT_AND_BELOW = {0, 1, 0, 1};
  private final Conv2d conv;
  private final Padding padding;

  /** Declares {@code conv} under {@code scope}, which is the place of {@code downsamplers.0}. */
  public Downsample2D(ParameterScope scope, long channels, Padding padding) {
    long around = padding == Padding.AROUND ? 1 : 0;
    this.conv = new Conv2d(scope.child("conv"), channels, channels, 3, 2, around);
    this.padding = padding;
  }

  /** Halves {@code input} [B, C, H, W]. */
  public Tensor forward(Tensor input) {
    return conv.forward(
        padding == Padding.AROUND
            ? input
            : torch.constant_pad_nd(input, RIGHT_AND_BELOW, new Scalar(0)));
  }
}
