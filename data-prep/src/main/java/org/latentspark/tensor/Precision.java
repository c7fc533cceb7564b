package org.latentspark.tensor;

import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** The arithmetic of a forward pass; parameters, gradients and optimizer stay fp32 in each. */
public enum Precision {
  /** All arithmetic in fp32. */
  FP32,
  /** Convolutions and matrix products in bfloat16 by libtorch's autocast. */
  BF16;

  /** Enters this precision on the calling thread until the region is closed. */
  public Region enter(DeviceType device) {
    if (this == FP32) {
      return () -> {};
    }
    torch.set_autocast_dtype(device, ScalarType.BFloat16);
    torch.set_autocast_enabled(device, true);
    torch.increment_nesting();
    return () -> {
      if (torch.decrement_nesting() == 0) {
        torch.clear_cache();
      }
      torch.set_autocast_enabled(device, false);
    };
  }

  /** A stretch of code that runs in one precision. */
  public interface Region extends AutoCloseable {
    @Override
    void close();
  }
}
