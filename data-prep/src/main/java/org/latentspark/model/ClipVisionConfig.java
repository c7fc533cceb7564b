package org.latentspark.model;

import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * The shape of a CLIP vision transformer, as published in {@code image_encoder/config.json}.
 *
 * @param hiddenSize width of a patch's state
 * @param intermediateSize width inside the feed-forward blocks
 * @param projectionSize width of the space shared with text
 * @param layers number of transformer layers
 * @param heads attention heads of a layer; divides the hidden size
 * @param channels of an image
 * @param imageSize pixels of an image's side
 * @param patchSize pixels of a patch's side; divides the image size
 * @param activation activation of the feed-forward blocks
 * @param epsilon of the layer norms
 * @param head whether the projection's weights are there
 */
public record ClipVisionConfig(
    int hiddenSize,
    int intermediateSize,
    int projectionSize,
    int layers,
    int heads,
    int channels,
    int imageSize,
    int patchSize,
    ClipActivation activation,
    double epsilon,
    ClipHead head) {

  /** Checks that the heads divide the hidden size, and that an image holds a patch. */
  public ClipVisionConfig {
    ClipEncoder.requireDivides(heads, hiddenSize);
    if (patchSize > imageSize) {
      throw new IllegalArgumentException(
          "config.json: patch_size " + patchSize + " must be at most image_size " + imageSize);
    }
  }

  /** Returns the configuration in {@code json}; refuses values that this model cannot compute. */
  public static ClipVisionConfig parse(String json) {
    return read(json, ClipConfigJson.head(json));
  }

  static ClipVisionConfig read(String json, ClipHead head) {
    ConfigJson config = ClipConfigJson.tower(json, "vision_config");
    config.allow("attention_dropout", 0);
    return new ClipVisionConfig(
        config.positive("hidden_size", 768),
        config.positive("intermediate_size", 3072),
        ClipConfigJson.projection(json, config),
        config.positive("num_hidden_layers", 12),
        config.positive("num_attention_heads", 12),
        config.positive("num_channels", 3),
        config.positive("image_size", 224),
        config.positive("patch_size", 32),
        ClipConfigJson.activation(config),
        ClipConfigJson.epsilon(config),
        head);
  }

  /** Returns the number of patches of an image. */
  public int patches() {
    int side = imageSize / patchSize;
    return side * side;
  }

  /** Returns the published form. */
  public String json() {
    return ClipConfigJson.print(object());
  }

  ObjectNode object() {
    ObjectNode config = ClipConfigJson.object();
    config
        .putArray("architectures")
        .add(head == ClipHead.PROJECTION ? "CLIPVisionModelWithProjection" : "CLIPVisionModel");
    config.put("model_type", "clip_vision_model");
    config.put("hidden_size", hiddenSize);
    config.put("intermediate_size", intermediateSize);
    config.put("projection_dim", projectionSize);
    config.put("num_hidden_layers", layers);
    config.put("num_attention_heads", heads);
    config.put("num_channels", channels);
    config.put("image_size", imageSize);
    config.put("patch_size", patchSize);
    config.put("hidden_act", activation.publishedName());
    config.put("layer_norm_eps", epsilon);
    config.put("attention_dropout", 0.0);
    config.put("torch_dtype", "float32");
    return config;
  }
}
