package org.latentspark.unet;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.latentspark.model.Linear;
import org.latentspark.tensor.ParameterScope;

/** Two linear layers with SiLU between them: [B, in] to [B, width]. */
final class TimestepEmbedding {
  private final Linear linear1;
  private final Linear linear2;

  TimestepEmbedding(ParameterScope scope, long in, long width) {
    this.linear1 = Linear.withBias(scope.child("linear_1"), in, width);
    this.linear2 = Linear.withBias(scope.child("linear_2"), width, width);
  }

  Tensor forward(Tensor input) {
    return linear2.forward(torch.silu(linear1.forward(input)));
  }
}
