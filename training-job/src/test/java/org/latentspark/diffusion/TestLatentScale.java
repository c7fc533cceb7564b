package org.latentspark.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.latentspark.tensor.Tensors;

class TestLatentScale {
  @Test
  void normalizesAndRestores() {
    LatentScale scale = new LatentScale(List.of(1.0, -2.0), List.of(0.5, 4.0), 2);
    try (PointerScope scope = new PointerScope()) {
      Tensor latents = Tensors.of(new float[] {2, 3, 6, -6}, 1, 2, 1, 2);
      Tensor normal = scale.normalize(latents);
      assertThat(Tensors.floats(normal)).containsExactly(new float[] {4, 8, 4, -2}, within(1e-6f));
      assertThat(Tensors.floats(scale.restore(normal)))
          .containsExactly(Tensors.floats(latents), within(1e-6f));
    }
  }

  @Test
  void keepsEverythingThroughItsFile() {
    LatentScale scale = LatentScale.normalizing(new double[] {0.1, -3}, new double[] {2, 1.5});
    assertThat(LatentScale.fromJson(scale.toJson())).isEqualTo(scale);
    assertThat(LatentScale.factor(4, 0.18215).toJson()).contains("\"scaling_factor\" : 0.18215");
  }

  @Test
  void refusesWhatIsNoScale() {
    assertThatThrownBy(() -> LatentScale.fromJson("{\"mean\": [1], \"std\": [0]}"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("std [0.0]");
    assertThatThrownBy(() -> LatentScale.fromJson("{\"mean\": [1, 2], \"std\": [1]}"))
        .hasMessageContaining("one value a channel");
    assertThatThrownBy(() -> LatentScale.fromJson("{\"std\": [1]}"))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> LatentScale.fromJson("nonsense"))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
