package org.latentspark.prep;

import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.latentspark.cli.Settings;

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

  /** Sets the calling thread, which belongs to an encoder, to this precision. */
  void enter(DeviceType device) {
    torch.set_autocast_dtype(device, type == ScalarType.Float ? ScalarType.BFloat16 : type);
    torch.set_autocast_enabled(device, this != FP32);
    // A cached copy of a weight would outlive the scope that made it.
    torch.set_autocast_cache_enabled(false);
  }

  @Override
  public String toString() {
    return Settings.kebab(this);
  }
}
