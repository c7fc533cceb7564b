package org.latentspark.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TestUNet2DConditionConfig {
  private static final Path PUBLISHED = Path.of("src/test/fixtures/unet/published");
  private static final ObjectMapper JSON = new ObjectMapper();

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

  @ParameterizedTest
  @CsvSource({
    "stable-diffusion-1-4, 64, 768, 8, 8, false, false",
    "stable-diffusion-1-5, 64, 768, 8, 8, false, false",
    "stable-diffusion-2-0, 96, 1024, 5, 20, true, false",
    "stable-diffusion-2-1-base, 64, 1024, 5, 20, true, false",
    "stable-diffusion-2-1, 96, 1024, 5, 20, true, true",
  })
  void takesThePublishedFiles(
      String name, int size, int text, int outer, int inner, boolean linear, boolean upcast)
      throws IOException {
    var config =
        UNet2DConditionConfig.fromJson(Files.readString(PUBLISHED.resolve(name + ".json")));
    assertThat(config.sampleSize()).isEqualTo(size);
    assertThat(config.crossAttentionDim()).isEqualTo(text);
    assertThat(config.attentionHeads()).hasSize(4).startsWith(outer).endsWith(inner, inner);
    assertThat(config.useLinearProjection()).isEqualTo(linear);
    assertThat(config.upcastAttention()).isEqualTo(upcast);
    assertThat(config.blockOutChannels()).containsExactly(320, 640, 1280, 1280);
    assertThat(UNet2DConditionConfig.fromJson(config.toJson())).isEqualTo(config);
  }

  @Test
  void refusesEveryKeyOfAnotherKindByName() throws IOException {
    ObjectNode keys = (ObjectNode) JSON.readTree(UNet2DConditionConfig.fromJson("{}").toJson());
    keys.remove("_diffusers_version");
    assertThat(keys).hasSize(49);
    for (String key : (Iterable<String>) keys::fieldNames) {
      // Where it is "projection", class_embed_type asks for the width that another key gives.
      ObjectNode other = JSON.createObjectNode().put("class_embed_type", "projection");
      other.put("projection_class_embeddings_input_dim", 8);
      other.putObject(key).put("of", "another kind");
      refuses(other.toString(), "U-Net config: " + key + " = {\"of\":\"another kind\"}: ");
    }
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
    refuses("{\"center_input_sample\": true}", "center_input_sample = true: must be false");
    refuses("{\"act_fn\": \"gelu\"}", "act_fn = \"gelu\": must be \"silu\"");
    refuses("{\"mid_block_type\": null}", "mid_block_type = null: must be");
    refuses("{\"mid_block_scale_factor\": 2}", "mid_block_scale_factor = 2: must be 1");
    refuses("{\"num_class_embeds\": 10}", "num_class_embeds = 10: must be null");
    refuses("{\"only_cross_attention\": [true]}", "only_cross_attention = [true]: must be false");
    refuses("{\"down_block_types\": [\"AttnDownBlock2D\"]}", "down_block_types = ");
    refuses("{\"norm_eps\": 0}", "norm_eps = 0.0: must be above 0");
    refuses("{\"norm_num_groups\": null}", "norm_num_groups = null: must be a whole number");
    refuses("{\"freq_shift\": 160}", "freq_shift = 160: must be below half");
    refuses("{\"in_channels\": 0}", "in_channels = 0: must be at least 1");
    refuses("{\"sample_size\": [64, 64]}", "sample_size = [64,64]: must be a whole number");
    refuses("{\"in_channels\": 4, \"in_channels\": 5}", "Duplicate field 'in_channels'");
    refuses("[]", "not a JSON object");
    refuses("{", "not JSON");
  }

  private static void refuses(String json, String message) {
    assertThatThrownBy(() -> UNet2DConditionConfig.fromJson(json))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }
}
