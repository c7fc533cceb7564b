package org.latentspark.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.latentspark.tensor.Parameter;
import org.latentspark.tensor.ParameterTable;
import org.latentspark.tensor.Precision;
import org.latentspark.tensor.Tensors;

class TestUNet2DConditionModel {
  private static final long SEED = 7;
  private static final Path FIXTURES = Path.of("src/test/fixtures/unet");
  private static final String TINY =
      """
      {"block_out_channels": [32, 64], "layers_per_block": 1, "attention_head_dim": 4,
       "cross_attention_dim": 24, "class_embed_type": "projection",
       "projection_class_embeddings_input_dim": 20, "sample_size": 8,
       "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
       "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"]}
      """;

  @ParameterizedTest
  @CsvSource({
    "stable-diffusion-1-4, stable-diffusion-1, 859520964",
    "stable-diffusion-1-5, stable-diffusion-1, 859520964",
    "stable-diffusion-2-0, stable-diffusion-2, 865910724",
    "stable-diffusion-2-1-base, stable-diffusion-2, 865910724",
    "stable-diffusion-2-1, stable-diffusion-2, 865910724",
  })
  void hasThePublishedParameters(String config, String parameters, long count) throws IOException {
    ParameterTable table =
        new UNet2DConditionModel(
                UNet2DConditionConfig.fromJson(
                    Files.readString(FIXTURES.resolve("published/" + config + ".json"))))
            .parameters();
    assertThat(table.count()).isEqualTo(count);
    assertThat(table.parameters())
        .as("names and shapes in diffusers' order")
        .map(parameter -> parameter.name() + " " + shape(parameter))
        .containsExactlyElementsOf(
            Files.readAllLines(FIXTURES.resolve(parameters + ".parameters")));
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

  private static String shape(Parameter parameter) {
    return Arrays.stream(parameter.shape())
        .mapToObj(Long::toString)
        .collect(Collectors.joining("x"));
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
