package org.latentspark.model;

import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Multi-head scaled dot-product attention on projected queries, keys and values. */
public final class Attention {
  /** Which positions a query sees. */
  public enum Mask {
    /** Every position. */
    NONE,
    /** Its own position and those before it. */
    CAUSAL
  }

  private Attention() {}

  /**
   * Attends with queries [B, Q, width] to keys and values [B, K, width] over {@code heads} heads
   * and returns [B, Q, width].
   *
   * <p>The products run in fp32 whatever the autocast: bfloat16 attention is slower on CPUs and
   * loses digits in the softmax.
   */
  public static Tensor apply(Tensor query, Tensor key, Tensor value, long heads, Mask mask) {
    DeviceType device = query.device().type();
    boolean autocast = torch.is_autocast_enabled(device);
    torch.set_autocast_enabled(device, false);
    try {
      Tensor attended =
          torch.scaled_dot_product_attention(
              split(query, heads),
              split(key, heads),
              split(value, heads),
              new TensorOptional(),
              0.0,
              mask == Mask.CAUSAL,
              new DoubleOptional(),
              false);
      return attended.transpose(1, 2).reshape(query.size(0), query.size(1), query.size(2));
    } finally {
      torch.set_autocast_enabled(device, autocast);
    }
  }

  private static Tensor split(Tensor projected, long heads) {
    return projected
        .to(ScalarType.Float)
        .view(projected.size(0), projected.size(1), heads, projected.size(2) / heads)
        .transpose(1, 2);
  }
}
