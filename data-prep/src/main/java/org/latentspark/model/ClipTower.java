package org.latentspark.model;

import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * What the shapes of CLIP's text and vision transformers have in common.
 *
 * @param hiddenSize width of a token's or patch's state
 * @param intermediateSize width inside the feed-forward blocks
 * @param projectionSize width of the space that text and images share
 * @param layers number of transformer layers
 * @param heads attention heads of a layer; divides the hidden size
 * @param activation activation of the feed-forward blocks
 * @param epsilon of the layer norms
 * @param head whether the projection's weights are there
 */
public record ClipTower(
    int hiddenSize,
    int intermediateSize,
    int projectionSize,
    int layers,
    int heads,
    ClipActivation activation,
    double epsilon,
    ClipHead head) {
  /** Checks that the heads divide the hidden size. */
  public ClipTower {
    if (hiddenSize % heads != 0) {
      throw new IllegalArgumentException(
          "config.json: num_attention_heads " + heads + " must divide hidden_size " + hiddenSize);
    }
  }

  /** Adds the published keys to {@code config}. */
  void put(ObjectNode config) {
    config.put("hidden_size", hiddenSize);
    config.put("intermediate_size", intermediateSize);
    config.put("projection_dim", projectionSize);
    config.put("num_hidden_layers", layers);
    config.put("num_attention_heads", heads);
    config.put("hidden_act", activation.publishedName());
    config.put("layer_norm_eps", epsilon);
    config.put("attention_dropout", 0.0);
    config.put("torch_dtype", "float32");
  }
}
