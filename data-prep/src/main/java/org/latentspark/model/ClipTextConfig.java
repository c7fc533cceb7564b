package org.latentspark.model;

import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * The shape of a CLIP text transformer, as published in {@code text_encoder/config.json}.
 *
 * @param tower shape of the transformer
 * @param vocabularySize number of token ids
 * @param maxTokens longest sequence
 * @param endToken id whose first position is pooled; 2 stands for the highest id of a sequence, as
 *     in configurations published before the id was recorded rightly
 */
public record ClipTextConfig(ClipTower tower, int vocabularySize, int maxTokens, int endToken) {
  /** Returns the configuration in {@code json}; refuses values that this model cannot compute. */
  public static ClipTextConfig parse(String json) {
    return read(json, ClipConfigJson.head(json));
  }

  static ClipTextConfig read(String json, ClipHead head) {
    ClipConfigJson config = ClipConfigJson.parse(json, "text");
    ClipTextConfig text =
        new ClipTextConfig(
            config.tower(512, 2048, 8, head),
            config.positive("vocab_size", 49408),
            config.positive("max_position_embeddings", 77),
            config.positive("eos_token_id", 49407));
    config.finish();
    return text;
  }

  /** Returns the width of a token's state. */
  public int hiddenSize() {
    return tower.hiddenSize();
  }

  /** Returns whether the projection's weights are there. */
  public ClipHead head() {
    return tower.head();
  }

  /** Returns the published form. */
  public String json() {
    return ClipConfigJson.print(object());
  }

  ObjectNode object() {
    ObjectNode config = ClipConfigJson.object();
    config
        .putArray("architectures")
        .add(head() == ClipHead.PROJECTION ? "CLIPTextModelWithProjection" : "CLIPTextModel");
    config.put("model_type", "clip_text_model");
    tower.put(config);
    config.put("vocab_size", vocabularySize);
    config.put("max_position_embeddings", maxTokens);
    config.put("eos_token_id", endToken);
    return config;
  }
}
