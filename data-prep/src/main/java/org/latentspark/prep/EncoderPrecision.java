package org.latentspark.prep;

import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.latentspark.cli.Settings;
import org.latentspark.tensor.Precision;

/** The arithmetic of the encoders: their weights stay fp32, autocast decides by operation. */
enum EncoderPrecision {
  /** All arithmetic in fp32. */
  FP32(ScalarType.Float),
  /** Convolutions and matrix products in bfloat16. */
  BF16(ScalarType.BFloat16),
  /** Convolutions and matrix products in half precision. */
  FP16(ScalarType.Half);

  private final ScalarType type;

  EncoderPrecision(ScalarType type) {
    this.type = type;
  }

  /** Enters this precision on the calling thread until the region is closed. */
  Precision.Region enter(DeviceType device) {
    if (this == FP32) {
      return () -> {};
    }
    torch.set_autocast_dtype(device, type);
    torch.set_autocast_enabled(device, true);
    // A cached copy of a weight would outlive the scope that made it.
    torch.set_autocast_cache_enabled(false);
    return () -> {
      torch.set_autocast_cache_enabled(true);
      torch.set_autocast_enabled(device, false);
    };
  }

  @Override
  public String toString() {
    return Settings.kebab(this);
  }
}
