package org.latentspark.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.withinPercentage;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;

class TestTensors {
  @Test
  void valuesGoThereAndBack() {
    try (PointerScope scope = new PointerScope()) {
      Tensor floats = Tensors.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
      assertThat(Tensors.shape(floats)).isEqualTo("[2, 3]");
      assertThat(Tensors.floats(floats.t())).containsExactly(1, 4, 2, 5, 3, 6);
      assertThat(Tensors.doubles(Tensors.of(new long[] {7, -8}, 2))).containsExactly(7, -8);
      assertThat(Tensors.doubles(Tensors.of(0.1, 1e300))).containsExactly(0.1, 1e300);
    }
  }

  @Test
  void emptyTensorsAreTensorsToo() {
    try (PointerScope scope = new PointerScope()) {
      assertThat(Tensors.floats(Tensors.of(new float[0], 0, 3))).isEmpty();
      assertThat(Tensors.sizes(Tensors.of(new long[0], 0))).containsExactly(0);
      assertThat(Tensors.doubles(Tensors.of(new double[0]))).isEmpty();
    }
  }

  @Test
  void valuesMustFillTheShape() {
    try (PointerScope scope = new PointerScope()) {
      assertThatThrownBy(() -> Tensors.of(new float[] {1, 2}, 3))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("2 values do not fill a tensor of shape [3]");
    }
  }

  @Test
  void normsOfLongVectorsKeepTheirDigits() {
    try (PointerScope scope = new PointerScope()) {
      // libtorch's own norm of so many is 0.9 % too small.
      long count = 34_000_001;
      Tensor hundredths = torch.full(new long[] {count}, new Scalar(0.01));
      assertThat(Tensors.norm(hundredths))
          .isCloseTo(0.01 * Math.sqrt(count), withinPercentage(0.001));
      assertThat(Tensors.norm(Tensors.of(new float[] {3, -4}, 2))).isEqualTo(5);
      assertThat(Tensors.norm(Tensors.of(new float[0], 0))).isZero();
      assertThat(Tensors.norm(Tensors.of(new float[] {1, Float.NaN}, 2))).isNaN();
    }
  }
}
