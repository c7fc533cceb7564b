package org.latentspark.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Reads what Stable Diffusion and CLIP publish as config.json, key for key. */
class TestPublishedConfigs {
  @ParameterizedTest
  @CsvSource({"sd15-vae, 512", "sd21-vae, 768"})
  void autoencodersHaveTheirPublishedSize(String name, int sampleSize) {
    AutoencoderKLConfig config = AutoencoderKLConfig.fromJson(text(name));
    assertThat(new AutoencoderKL(config).parameters().count()).isEqualTo(83_653_863);
    assertThat(config.scalingFactor()).isEqualTo(0.18215);
    assertThat(config.sampleSize()).isEqualTo(sampleSize);
    assertThat(config.downscale()).isEqualTo(8);
  }

  @Test
  void textEncoderOfStableDiffusion1HasItsPublishedSize() {
    ClipTextConfig config = ClipTextConfig.parse(text("sd15-text_encoder"));
    assertThat(new ClipTextModel(config).parameters().count()).isEqualTo(123_060_480);
    assertThat(config.tower().activation()).isEqualTo(ClipActivation.QUICK_GELU);
    assertThat(config.head()).isEqualTo(ClipHead.NONE);
    assertThat(config.endToken()).isEqualTo(2);
  }

  @Test
  void textEncoderOfStableDiffusion2HasItsPublishedSize() {
    ClipTextConfig config = ClipTextConfig.parse(text("sd21-text_encoder"));
    assertThat(new ClipTextModel(config).parameters().count()).isEqualTo(340_387_840);
    assertThat(config.tower().activation()).isEqualTo(ClipActivation.GELU);
    assertThat(config.tower().layers()).isEqualTo(23);
  }

  @Test
  void bothTowersOfVitL14HaveTheirPublishedSize() {
    String json = text("clip-vit-large-patch14");
    assertThat(new ClipModel(ClipConfig.parse(json)).parameters().count()).isEqualTo(427_616_513);
    ClipVisionConfig vision = ClipVisionConfig.parse(json);
    assertThat(vision.tower().head()).isEqualTo(ClipHead.PROJECTION);
    assertThat(vision.patches()).isEqualTo(256);
    assertThat(ClipTextConfig.parse(json).tower().projectionSize()).isEqualTo(768);
  }

  @Test
  void deprecatedFormOutweighsThePresentOneWithItsDefaults() {
    ClipTextConfig both =
        ClipTextConfig.parse(
            """
            {"text_config": {"hidden_size": 64, "vocab_size": 7},
             "text_config_dict": {"hidden_size": 128}, "vision_config_dict": null}
            """);
    assertThat(both.hiddenSize()).isEqualTo(128);
    assertThat(both.vocabularySize()).isEqualTo(49408);
    assertThat(ClipTextConfig.parse("{\"text_config\": {\"projection_dim\": 64}}").tower())
        .extracting(ClipTower::projectionSize)
        .isEqualTo(64);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"attention_bias\": true",
        "\"hidden_act\": \"relu\"",
        "\"is_decoder\": true",
        "\"add_cross_attention\": true",
        "\"pruned_heads\": {\"1\": [0]}",
        "\"dropout\": 0.5",
        "\"chunk_size_feed_forward\": 2",
        "\"model_type\": \"siglip_text_model\"",
        "\"eos_token_id\": [1, 2]"
      })
  void keysAndValuesThatClipDoesNotDoAreRefusedByName(String pair) {
    String key = pair.substring(1, pair.indexOf('"', 1));
    for (String json : new String[] {"{" + pair + "}", "{\"text_config\": {" + pair + "}}"}) {
      assertThatThrownBy(() -> ClipTextConfig.parse(json))
          .as(json)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(key + " = ");
    }
  }

  @Test
  void unknownKeysBesideTheTowersAreRefused() {
    assertThatThrownBy(() -> ClipTextConfig.parse("{\"text_config\": {}, \"patches\": 7}"))
        .hasMessage("config.json has keys that this model does not do: patches = 7");
    assertThatThrownBy(() -> ClipVisionConfig.parse("{\"vision_config\": 7}"))
        .hasMessageContaining("vision_config = 7 is not supported; allowed: a JSON object");
  }

  static String text(String name) {
    try {
      return Files.readString(Path.of("src/test/resources/published", name + ".json"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
