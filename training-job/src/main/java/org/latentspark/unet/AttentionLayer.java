package org.latentspark.unet;

import org.bytedeco.pytorch.Tensor;
import org.latentspark.model.Attention;
import org.latentspark.model.Linear;
import org.latentspark.tensor.ParameterScope;

/** Projections around multi-head attention: self-attention, or attention to the text. */
final class AttentionLayer {
  private final Linear toQuery;
  private final Linear toKey;
  private final Linear toValue;
  private final Linear toOut;
  private final int heads;

  AttentionLayer(ParameterScope scope, int width, int contextWidth, int heads) {
    this.toQuery = Linear.withoutBias(scope.child("to_q"), width, width);
    this.toKey = Linear.withoutBias(scope.child("to_k"), contextWidth, width);
    this.toValue = Linear.withoutBias(scope.child("to_v"), contextWidth, width);
    this.toOut = Linear.withBias(scope.child("to_out", 0), width, width);
    this.heads = heads;
  }

  /** Lets queries [B, Q, width] attend to {@code context} [B, K, contextWidth]. */
  Tensor forward(Tensor queries, Tensor context) {
    return toOut.forward(
        Attention.apply(
            toQuery.forward(queries),
            toKey.forward(context),
            toValue.forward(context),
            heads,
            Attention.Mask.NONE));
  }
}
