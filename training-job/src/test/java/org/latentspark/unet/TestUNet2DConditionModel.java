package org.latentspark.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.latentspark.tensor.Precision;
import org.latentspark.tensor.Tensors;

class TestUNet2DConditionModel {
  private static final long SEED = 7;
  private static final String TINY =
      """
      {"block_out_channels": [32, 64], "layers_per_block": 1, "attention_head_dim": 4,
       "cross_attention_dim": 24, "class_embed_type": "projection",
       "projection_class_embeddings_input_dim": 20, "sample_size": 8,
       "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
       "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"]}
      """;

  @Test
  void stableDiffusion1HasItsPublishedNumberOfParameters() {
    var config =
        UNet2DConditionConfig.fromJson("{\"cross_attention_dim\": 768, \"sample_size\": 64}");
    assertThat(new UNet2DConditionModel(config).parameters().count()).isEqualTo(859_520_964L);
  }

  @Test
  void stableDiffusion2HasItsPublishedNumberOfParameters() {
    var config =
        UNet2DConditionConfig.fromJson(
            """
            {"cross_attention_dim": 1024, "attention_head_dim": [5, 10, 20, 20],
             "use_linear_projection": true, "upcast_attention": true}
            """);
    assertThat(new UNet2DConditionModel(config).parameters().count()).isEqualTo(865_910_724L);
  }

  @Test
  void drawsInBfloat16NearFp32() {
    try (PointerScope scope = new PointerScope()) {
      UNet2DConditionModel model = tiny();
      float[] full = forward(model, Precision.FP32, 8);
      float[] half = forward(model, Precision.BF16, 8);
      double largest = 0;
      double difference = 0;
      for (int i = 0; i < full.length; i++) {
        largest = Math.max(largest, Math.abs(full[i]));
        difference = Math.max(difference, Math.abs(full[i] - half[i]));
      }
      assertThat(difference / largest).isBetween(1e-6, 0.05);
    }
  }

  @Test
  void takesLatentsOfOddSize() {
    try (PointerScope scope = new PointerScope()) {
      assertThat(forward(tiny(), Precision.FP32, 7)).hasSize(2 * 4 * 7 * 7).doesNotContain(0f);
    }
  }

  @Test
  void refusesTextOfAnotherWidth() {
    try (PointerScope scope = new PointerScope()) {
      UNet2DConditionModel model = tiny();
      Tensor latents = torch.zeros(new long[] {1, 4, 8, 8});
      Tensor steps = Tensors.of(new long[] {1}, 1);
      assertThatThrownBy(
              () -> model.forward(latents, steps, torch.zeros(new long[] {1, 5, 23}), null))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("Text must have shape [B, T, 24], not [1, 5, 23]");
      assertThatThrownBy(
              () -> model.forward(latents, steps, torch.zeros(new long[] {1, 5, 24}), null))
          .hasMessage("The pooled text must be given: class_embed_type is projection");
    }
  }

  private static UNet2DConditionModel tiny() {
    UNet2DConditionModel model = new UNet2DConditionModel(UNet2DConditionConfig.fromJson(TINY));
    model.parameters().allocate();
    model.parameters().initialize(SEED);
    return model;
  }

  private static float[] forward(UNet2DConditionModel model, Precision precision, int size) {
    Tensor latents = ramp(2, 4, size, size);
    try (Precision.Region region = precision.enter(DeviceType.CPU)) {
      Tensor output =
          model.forward(latents, Tensors.of(new long[] {3, 900}, 2), ramp(2, 5, 24), ramp(2, 20));
      assertThat(output.scalar_type().intern()).isEqualTo(ScalarType.Float);
      return Tensors.floats(output);
    }
  }

  private static Tensor ramp(long... shape) {
    int count = 1;
    for (long size : shape) {
      count *= (int) size;
    }
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) Math.sin(i);
    }
    return Tensors.of(values, shape);
  }
}
