package org.latentspark.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/**
 * What the configurations of CLIP's towers share.
 *
 * <p>Surplus keys pass: published files carry dozens of transformers' settings for text generation.
 */
final class ClipConfigJson {
  static final int PROJECTION = 512;
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private ClipConfigJson() {}

  /** Returns the tower's object, where {@code text} holds both towers, or {@code text} itself. */
  static ConfigJson tower(String text, String key) {
    ConfigJson whole = ConfigJson.parse(text);
    try {
      return whole.has(key) ? ConfigJson.parse(MAPPER.readTree(text).path(key).toString()) : whole;
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("config.json is not JSON: " + e.getMessage(), e);
    }
  }

  /** Returns the projection's size, which stands above the towers where both are published. */
  static int projection(String text, ConfigJson tower) {
    return ConfigJson.parse(text)
        .positive("projection_dim", tower.positive("projection_dim", PROJECTION));
  }

  /** Returns whether {@code architectures} names a class with a projection. */
  static ClipHead head(String text) {
    List<String> architectures = ConfigJson.parse(text).texts("architectures", List.of());
    return architectures.contains("CLIPModel")
            || architectures.stream().anyMatch(name -> name.endsWith("WithProjection"))
        ? ClipHead.PROJECTION
        : ClipHead.NONE;
  }

  static ClipActivation activation(ConfigJson tower) {
    List<String> allowed = ClipActivation.publishedNames();
    tower.allow("hidden_act", allowed.toArray());
    return ClipActivation.named(tower.text("hidden_act", "quick_gelu"));
  }

  static double epsilon(ConfigJson tower) {
    double epsilon = tower.number("layer_norm_eps", 1e-5);
    if (!(epsilon > 0)) {
      throw tower.refused("layer_norm_eps", "a positive number");
    }
    return epsilon;
  }

  static ObjectNode object() {
    return MAPPER.createObjectNode();
  }

  static String print(JsonNode config) {
    return config.toPrettyString() + "\n";
  }
}
