package org.latentspark.latents;

/**
 * Converts between {@code float} arrays and little-endian IEEE 754 half-precision bytes.
 *
 * <p>Rounding is to nearest, ties to even, as libtorch's {@code kHalf} conversion does. Values
 * above 65504 in magnitude become infinite.
 */
public final class Fp16 {
  private static final int BYTES = 2;

  private Fp16() {}

  /** Returns the values of {@code bytes}, two bytes a value. */
  public static float[] toFloats(byte[] bytes) {
    if (bytes.length % BYTES != 0) {
      throw new IllegalArgumentException(
          "fp16 data must have an even number of bytes, not " + bytes.length);
    }
    float[] values = new float[bytes.length / BYTES];
    for (int i = 0; i < values.length; i++) {
      values[i] = toFloat((bytes[BYTES * i] & 0xff) | (bytes[BYTES * i + 1] & 0xff) << 8);
    }
    return values;
  }

  /** Returns {@code values} as bytes, two bytes a value. */
  public static byte[] toBytes(float[] values) {
    byte[] bytes = new byte[values.length * BYTES];
    for (int i = 0; i < values.length; i++) {
      int half = toHalf(values[i]);
      bytes[BYTES * i] = (byte) half;
      bytes[BYTES * i + 1] = (byte) (half >>> 8);
    }
    return bytes;
  }

  /** Returns whether {@code bytes} hold neither NaN nor an infinity. */
  public static boolean allFinite(byte[] bytes) {
    for (int i = 1; i < bytes.length; i += BYTES) {
      if ((bytes[i] & 0x7c) == 0x7c) {
        return false;
      }
    }
    return true;
  }

  private static float toFloat(int half) {
    int sign = (half & 0x8000) << 16;
    int exponent = half >>> 10 & 0x1f;
    int fraction = half & 0x3ff;
    if (exponent == 0x1f) {
      return Float.intBitsToFloat(sign | 0x7f800000 | fraction << 13);
    }
    if (exponent == 0) {
      // Subnormal: fraction times 2^-24, exact in a float.
      float magnitude = fraction * 0x1p-24f;
      return sign == 0 ? magnitude : -magnitude;
    }
    return Float.intBitsToFloat(sign | (exponent + 112) << 23 | fraction << 13);
  }

  private static int toHalf(float value) {
    int bits = Float.floatToRawIntBits(value);
    int sign = bits >>> 16 & 0x8000;
    int magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) {
      return sign | 0x7e00;
    }
    if (magnitude >= 0x477ff000) {
      // 65520, half way between 65504 and the next step, and everything above it.
      return sign | 0x7c00;
    }
    if (magnitude < 0x38800000) {
      // Below 2^-14 the result is subnormal; a float product by 2^24 is exact and rint ties to
      // even.
      return sign | (int) Math.rint(Float.intBitsToFloat(magnitude) * 0x1p24f);
    }
    int rounded = magnitude + 0xfff + (magnitude >>> 13 & 1);
    return sign | (rounded - 0x38000000) >>> 13;
  }
}
