package org.latentspark.tensor;

import org.bytedeco.pytorch.global.torch.ScalarType;

/** The value types of a safetensors file, under the format's own names. */
public enum SafetensorsType {
  F64(8, ScalarType.Double),
  F32(4, ScalarType.Float),
  F16(2, ScalarType.Half),
  BF16(2, ScalarType.BFloat16),
  I64(8, ScalarType.Long),
  I32(4, ScalarType.Int),
  I16(2, ScalarType.Short),
  I8(1, ScalarType.Char),
  U8(1, ScalarType.Byte),
  BOOL(1, ScalarType.Bool);

  private final int bytes;
  private final ScalarType scalarType;

  SafetensorsType(int bytes, ScalarType scalarType) {
    this.bytes = bytes;
    this.scalarType = scalarType;
  }

  /** Returns the bytes of one value. */
  public int bytes() {
    return bytes;
  }

  /** Returns libtorch's type. */
  public ScalarType scalarType() {
    return scalarType;
  }

  /** Returns whether the values are floating-point numbers. */
  public boolean floating() {
    return this == F64 || this == F32 || this == F16 || this == BF16;
  }

  /** Returns the type that holds libtorch's {@code scalarType}. */
  static SafetensorsType of(ScalarType scalarType) {
    for (SafetensorsType type : values()) {
      if (type.scalarType == scalarType.intern()) {
        return type;
      }
    }
    throw new IllegalArgumentException("Safetensors files do not hold values of " + scalarType);
  }
}
