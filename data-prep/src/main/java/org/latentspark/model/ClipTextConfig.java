package org.latentspark.model;

import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * The shape of a CLIP text transformer, as published in {@code text_encoder/config.json}.
 *
 * @param vocabularySize number of token ids
 * @param hiddenSize width of a token's state
 * @param intermediateSize width inside the feed-forward blocks
 * @param projectionSize width of the space shared with images
 * @param layers number of transformer layers
 * @param heads attention heads of a layer; divides the hidden size
 * @param maxTokens longest sequence
 * @param activation activation of the feed-forward blocks
 * @param epsilon of the layer norms
 * @param endToken id whose first position is pooled; 2 stands for the highest id of a sequence, as
 *     in configurations published before the id was recorded rightly
 * @param head whether the projection's weights are there
 */
public record ClipTextConfig(
    int vocabularySize,
    int hiddenSize,
    int intermediateSize,
    int projectionSize,
    int layers,
    int heads,
    int maxTokens,
    ClipActivation activation,
    double epsilon,
    int endToken,
    ClipHead head) {

  /** Checks that the heads divide the hidden size. */
  public ClipTextConfig {
    ClipEncoder.requireDivides(heads, hiddenSize);
  }

  /** Returns the configuration in {@code json}; refuses values that this model cannot compute. */
  public static ClipTextConfig parse(String json) {
    return read(json, ClipConfigJson.head(json));
  }

  static ClipTextConfig read(String json, ClipHead head) {
    ConfigJson config = ClipConfigJson.tower(json, "text_config");
    config.allow("attention_dropout", 0);
    return new ClipTextConfig(
        config.positive("vocab_size", 49408),
        config.positive("hidden_size", 512),
        config.positive("intermediate_size", 2048),
        ClipConfigJson.projection(json, config),
        config.positive("num_hidden_layers", 12),
        config.positive("num_attention_heads", 8),
        config.positive("max_position_embeddings", 77),
        ClipConfigJson.activation(config),
        ClipConfigJson.epsilon(config),
        config.positive("eos_token_id", 49407),
        head);
  }

  /** Returns the published form. */
  public String json() {
    return ClipConfigJson.print(object());
  }

  ObjectNode object() {
    ObjectNode config = ClipConfigJson.object();
    config
        .putArray("architectures")
        .add(head == ClipHead.PROJECTION ? "CLIPTextModelWithProjection" : "CLIPTextModel");
    config.put("model_type", "clip_text_model");
    config.put("vocab_size", vocabularySize);
    config.put("hidden_size", hiddenSize);
    config.put("intermediate_size", intermediateSize);
    config.put("projection_dim", projectionSize);
    config.put("num_hidden_layers", layers);
    config.put("num_attention_heads", heads);
    config.put("max_position_embeddings", maxTokens);
    config.put("hidden_act", activation.publishedName());
    config.put("layer_norm_eps", epsilon);
    config.put("attention_dropout", 0.0);
    config.put("eos_token_id", endToken);
    config.put("torch_dtype", "float32");
    return config;
  }
}
