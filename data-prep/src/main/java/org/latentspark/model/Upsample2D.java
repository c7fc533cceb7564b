package org.latentspark.model;

import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.latentspark.tensor.ParameterScope;

/**
 * Doubles height and width by nearest neighbour, then convolves: [B, C, H, W] to [B, C, 2H, 2W].
 */
public final class Upsample2D {
  private final Conv2d conv;

  /** Declares {@code conv} under {@code scope}, which is the place of {@code upsamplers.0}. */
  public Upsample2D(ParameterScope scope, long channels) {
    this.conv = new Conv2d(scope.child("conv"), channels, channels, 3, 1, 1);
  }

  /** Doubles {@code input} [B, C, H, W]. */
  public Tensor forward(Tensor input) {
    return forward(input, 2 * input.size(2), 2 * input.size(3));
  }

  /** Brings {@code input} [B, C, H, W] to the given height and width. */
  public Tensor forward(Tensor input, long height, long width) {
    long[] size = {height, width};
    return conv.forward(
        torch.upsample_nearest2d(input, size, new DoubleOptional(), new DoubleOptional()));
  }
}
