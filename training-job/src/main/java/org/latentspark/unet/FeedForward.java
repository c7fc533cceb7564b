package org.latentspark.unet;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.latentspark.model.Linear;
import org.latentspark.tensor.ParameterScope;

/** The transformer's feed-forward layer, gated by GELU (GEGLU: Shazeer, 2020), four times wide. */
final class FeedForward {
  private static final int EXPANSION = 4;

  private final Linear projection;
  private final Linear out;

  FeedForward(ParameterScope scope, int width) {
    this.projection =
        Linear.withBias(scope.child("net", 0).child("proj"), width, 2L * EXPANSION * width);
    this.out = Linear.withBias(scope.child("net", 2), (long) EXPANSION * width, width);
  }

  Tensor forward(Tensor input) {
    TensorVector halves = projection.forward(input).chunk(2, -1);
    return out.forward(halves.get(0).mul(torch.gelu(halves.get(1))));
  }
}
