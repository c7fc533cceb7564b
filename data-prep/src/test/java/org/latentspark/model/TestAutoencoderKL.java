package org.latentspark.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.latentspark.tensor.Seeds;
import org.latentspark.tensor.Tensors;

class TestAutoencoderKL {
  @Test
  void jsonRoundTripKeepsEveryField() {
    AutoencoderKLConfig config =
        new AutoencoderKLConfig(3, 3, List.of(16, 32), 1, 8, 4, 64, 0.5, false, false, true);
    assertThat(AutoencoderKLConfig.fromJson(config.toJson())).isEqualTo(config);
  }

  @Test
  void refusesWhatItDoesNotDo() {
    assertThatThrownBy(
            () -> AutoencoderKLConfig.fromJson(stableDiffusion().replace("\"silu\"", "\"gelu\"")))
        .hasMessage("config.json: act_fn = \"gelu\" is not supported; allowed: [silu]");
    assertThatThrownBy(
            () ->
                AutoencoderKLConfig.fromJson(
                    stableDiffusion().replace("\"sample_size\"", "\"latents_std\"")))
        .hasMessage("config.json has keys that this model does not do: latents_std = 512");
    assertThatThrownBy(
            () ->
                AutoencoderKLConfig.fromJson(
                    stableDiffusion().replaceFirst("\"UpDecoderBlock2D\"", "\"AttnUp\"")))
        .hasMessageContaining("up_block_types");
    assertThatThrownBy(
            () ->
                AutoencoderKLConfig.fromJson(
                    stableDiffusion().replace("\"in_channels\": 3", "\"in_channels\": 0")))
        .hasMessageContaining("in_channels = 0");
    assertThatThrownBy(() -> AutoencoderKLConfig.fromJson("{\"shift_factor\": 0.0609}"))
        .hasMessage("config.json: shift_factor = 0.0609 is not supported; allowed: [0]");
    assertThatThrownBy(() -> AutoencoderKLConfig.fromJson("{\"_class_name\": \"AutoencoderTiny\"}"))
        .hasMessageContaining("_class_name = \"AutoencoderTiny\"");
    assertThatThrownBy(() -> AutoencoderKLConfig.fromJson("{\"block_out_channels\": [48]}"))
        .hasMessage("config.json: norm_num_groups 32 must divide block_out_channels [48]");
  }

  @Test
  void startsNarrowAndFarFromGrey() {
    AutoencoderKL model =
        new AutoencoderKL(
            new AutoencoderKLConfig(3, 3, List.of(16, 32, 32), 1, 4, 8, 32, 1, true, true, true));
    model.parameters().allocate();
    model.parameters().initialize(7);
    try (PointerScope scope = new PointerScope()) {
      Tensor pixels = torch.rand(new long[] {2, 3, 32, 32}, Seeds.generator(7));
      Tensor moments = model.encode(pixels.mul(new Scalar(2)).sub(new Scalar(1)));
      assertThat(Tensors.sizes(moments)).containsExactly(2, 8, 8, 8);
      assertThat(moments.narrow(1, 4, 4).mean().item_double()).isBetween(-6.0, -4.0);
      assertThat(Tensors.sizes(model.decode(moments.narrow(1, 0, 4))))
          .containsExactly(2, 3, 32, 32);
      assertThatThrownBy(() -> model.encode(torch.zeros(1, 3, 30, 32)))
          .hasMessageContaining("multiples of 4, not [1, 3, 30, 32]");
    }
  }

  private static String stableDiffusion() {
    return TestPublishedConfigs.text("sd15-vae");
  }
}
