package org.latentspark.latents;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.javacpp.ShortPointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;

class TestFp16 {
  @Test
  void everyHalfSurvivesTheWayThereAndBack() {
    for (int half = 0; half < 1 << 16; half++) {
      byte[] bytes = {(byte) half, (byte) (half >>> 8)};
      float[] value = Fp16.toFloats(bytes);
      if (Float.isNaN(value[0])) {
        assertThat(Fp16.toFloats(Fp16.toBytes(value))[0]).isNaN();
      } else {
        assertThat(Fp16.toBytes(value)).as("half 0x%04x", half).isEqualTo(bytes);
      }
    }
  }

  @Test
  void roundsAsLibtorchDoes() {
    Random random = new Random(7);
    float[] values = new float[200_000];
    for (int i = 0; i < values.length; i++) {
      // Every exponent that matters: subnormal halves, ties and the edge of infinity.
      values[i] = (float) ((random.nextDouble() - 0.5) * Math.pow(2, random.nextInt(48) - 28));
    }
    values[0] = 65519.996f;
    values[1] = 65520f;
    values[2] = 0x1p-25f;
    values[3] = 0x1.8p-24f;
    values[4] = -0f;
    values[5] = 1f + 0x1p-11f;
    values[6] = Float.NEGATIVE_INFINITY;
    byte[] bytes = Fp16.toBytes(values);
    short[] expected = new short[values.length];
    try (PointerScope scope = new PointerScope()) {
      Tensor halves =
          torch.tensor(values).to(torch.ScalarType.Half).view(torch.ScalarType.Short).contiguous();
      new ShortPointer(halves.data_ptr()).get(expected);
    }
    for (int i = 0; i < values.length; i++) {
      int actual = (bytes[2 * i] & 0xff) | (bytes[2 * i + 1] & 0xff) << 8;
      assertThat((short) actual).as("half of %s", values[i]).isEqualTo(expected[i]);
    }
  }

  @Test
  void refusesAnOddNumberOfBytes() {
    assertThatThrownBy(() -> Fp16.toFloats(new byte[3]))
        .hasMessage("fp16 data must have an even number of bytes, not 3");
  }
}
