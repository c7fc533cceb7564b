package org.latentspark.model;

import org.bytedeco.pytorch.Tensor;
import org.latentspark.tensor.ParameterScope;
import org.latentspark.tensor.Tensors;

/**
 * Residual self-attention of one head among all places of a picture: [B, C, H, W] to the same (the
 * attention of an autoencoder's middle block).
 */
final class SpatialAttention {
  private final GroupNorm norm;
  private final Linear query;
  private final Linear key;
  private final Linear value;
  private final Linear out;

  SpatialAttention(ParameterScope scope, long channels, long groups, double epsilon) {
    this.norm = new GroupNorm(scope.child("group_norm"), groups, channels, epsilon);
    this.query = Linear.withBias(scope.child("to_q"), channels, channels);
    this.key = Linear.withBias(scope.child("to_k"), channels, channels);
    this.value = Linear.withBias(scope.child("to_v"), channels, channels);
    this.out = Linear.withBias(scope.child("to_out", 0), channels, channels);
  }

  Tensor forward(Tensor input) {
    Tensor places = norm.forward(input).flatten(2, 3).transpose(1, 2);
    Tensor attended =
        Attention.apply(
            query.forward(places),
            key.forward(places),
            value.forward(places),
            1,
            Attention.Mask.NONE);
    return out.forward(attended).transpose(1, 2).reshape(Tensors.sizes(input)).add(input);
  }
}
