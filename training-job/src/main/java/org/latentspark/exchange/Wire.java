package org.latentspark.exchange;

import org.bytedeco.pytorch.global.torch.ScalarType;

/** The format in which workers send each other the differences of a round. */
public enum Wire {
  /** As they are. */
  FP32(ScalarType.Float),
  /**
   * Rounded to bfloat16 and added up in it: half the bytes, for a relative error of 2^-9 in each
   * difference and in each sum, which the next round starts without.
   */
  BF16(ScalarType.BFloat16);

  private final ScalarType type;

  Wire(ScalarType type) {
    this.type = type;
  }

  ScalarType type() {
    return type;
  }
}
