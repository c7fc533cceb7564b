package org.latentspark.unet;

import org.bytedeco.pytorch.Tensor;
import org.latentspark.model.LayerNorm;
import org.latentspark.tensor.ParameterScope;

/** Self-attention, attention to the text, feed-forward: each on a normalized input, each added. */
final class TransformerBlock {
  private static final double EPSILON = 1e-5;

  private final LayerNorm norm1;
  private final AttentionLayer selfAttention;
  private final LayerNorm norm2;
  private final AttentionLayer crossAttention;
  private final LayerNorm norm3;
  private final FeedForward feedForward;

  TransformerBlock(ParameterScope scope, int width, int contextWidth, int heads) {
    this.norm1 = new LayerNorm(scope.child("norm1"), width, EPSILON);
    this.selfAttention = new AttentionLayer(scope.child("attn1"), width, width, heads);
    this.norm2 = new LayerNorm(scope.child("norm2"), width, EPSILON);
    this.crossAttention = new AttentionLayer(scope.child("attn2"), width, contextWidth, heads);
    this.norm3 = new LayerNorm(scope.child("norm3"), width, EPSILON);
    this.feedForward = new FeedForward(scope.child("ff"), width);
  }

  /** Maps pixels [B, h*w, width], given the text [B, T, contextWidth], to the same shape. */
  Tensor forward(Tensor input, Tensor context) {
    Tensor normalized = norm1.forward(input);
    Tensor attended = input.add(selfAttention.forward(normalized, normalized));
    Tensor informed = attended.add(crossAttention.forward(norm2.forward(attended), context));
    return informed.add(feedForward.forward(norm3.forward(informed)));
  }
}
