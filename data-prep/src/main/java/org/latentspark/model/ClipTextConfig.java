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
    long vocabularySize,
    long hiddenSize,
    long intermediateSize,
    long projectionSize,
    long layers,
    long heads,
    long maxTokens,
    ClipActivation activation,
    double epsilon,
    long endToken,
    ClipHead head) {

  /** Checks that the heads divide the hidden size. */
  public ClipTextConfig {
    ClipEncoder.requireDivides(heads, hiddenSize);
  }

  /** Returns the configuration in {@code json}; refuses values that this model cannot compute. */
  public static ClipTextConfig parse(String json) {
    ClipConfigJson config = ClipConfigJson.parse(json);
    ClipConfigJson part = config.part("text_config");
    // Where both towers are published together, the projection's size stands above them.
    long projection = config.count("projection_dim", part.count("projection_dim", 512));
    return read(part, config.head(), projection);
  }

  static ClipTextConfig read(ClipConfigJson config, ClipHead head, long projection) {
    config.requireZero("attention_dropout");
    return new ClipTextConfig(
        config.count("vocab_size", 49408),
        config.count("hidden_size", 512),
        config.count("intermediate_size", 2048),
        projection,
        config.count("num_hidden_layers", 12),
        config.count("num_attention_heads", 8),
        config.count("max_position_embeddings", 77),
        config.activation(),
        config.epsilon("layer_norm_eps", 1e-5),
        config.id("eos_token_id", 49407),
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
