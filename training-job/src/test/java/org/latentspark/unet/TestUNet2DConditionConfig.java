package org.latentspark.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class TestUNet2DConditionConfig {
  @Test
  void keepsEverythingThroughItsFile() {
    var config =
        UNet2DConditionConfig.fromJson(
            """
            {"_class_name": "UNet2DConditionModel", "_diffusers_version": "0.10.0.dev0",
             "_name_or_path": "somewhere", "sample_size": 96, "attention_head_dim": [5, 10],
             "block_out_channels": [320, 640], "cross_attention_dim": 1024, "norm_eps": 1e-6,
             "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"], "freq_shift": 1,
             "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"], "upcast_attention": true,
             "class_embed_type": "projection", "projection_class_embeddings_input_dim": 96}
            """);
    assertThat(UNet2DConditionConfig.fromJson(config.toJson())).isEqualTo(config);
    assertThat(config.attentionHeads()).containsExactly(5, 10);
  }

  @Test
  void takesTheFileOfStableDiffusion1() {
    var config =
        UNet2DConditionConfig.fromJson(
            """
            {"_class_name": "UNet2DConditionModel", "_diffusers_version": "0.6.0",
             "act_fn": "silu", "attention_head_dim": 8,
             "block_out_channels": [320, 640, 1280, 1280], "center_input_sample": false,
             "cross_attention_dim": 768,
             "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D",
                 "CrossAttnDownBlock2D", "DownBlock2D"],
             "downsample_padding": 1, "flip_sin_to_cos": true, "freq_shift": 0,
             "in_channels": 4, "layers_per_block": 2, "mid_block_scale_factor": 1,
             "norm_eps": 1e-05, "norm_num_groups": 32, "out_channels": 4, "sample_size": 64,
             "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D",
                 "CrossAttnUpBlock2D"]}
            """);
    assertThat(config.attentionHeads()).containsExactly(8, 8, 8, 8);
    assertThat(config.crossAttentionDim()).isEqualTo(768);
  }

  @Test
  void refusesWhatItDoesNotBuildByName() {
    refuses("{\"dropout\": 0.1}", "U-Net config: dropout = 0.1: must be 0.0");
    refuses("{\"layers\": 3}", "U-Net config: layers = 3: is not a key of UNet2DConditionModel");
    refuses("{\"_class_name\": \"Other\"}", "_class_name = \"Other\"");
    refuses("{\"class_embed_type\": \"timestep\"}", "must be null or \"projection\"");
    refuses("{\"down_block_types\": [\"DownBlock2D\"]}", "down_block_types = [DownBlock2D]");
    refuses("{\"attention_head_dim\": 7}", "attention_head_dim = 7: must divide the 320 channels");
    refuses("{\"norm_num_groups\": 33}", "must be a multiple of norm_num_groups");
    refuses("{\"layers_per_block\": [1, 2]}", "layers_per_block = [1,2]: must be a whole number");
    refuses("[]", "not a JSON object");
    refuses("{", "not JSON");
  }

  private static void refuses(String json, String message) {
    assertThatThrownBy(() -> UNet2DConditionConfig.fromJson(json))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }
}
