package org.latentspark.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** Reads and writes CLIP's published config.json, with transformers' defaults for absent keys. */
record ClipConfigJson(JsonNode root) {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  static ClipConfigJson parse(String json) {
    try {
      JsonNode root = MAPPER.readTree(json);
      if (root == null || !root.isObject()) {
        throw new IllegalArgumentException("A CLIP config.json must hold one JSON object");
      }
      return new ClipConfigJson(root);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("Malformed CLIP config.json: " + e.getMessage(), e);
    }
  }

  static ObjectNode object() {
    return MAPPER.createObjectNode();
  }

  static String print(ObjectNode config) {
    return config.toPrettyString() + "\n";
  }

  /** Returns the object under {@code key}, or this object where the key is absent. */
  ClipConfigJson part(String key) {
    return root.path(key).isObject() ? new ClipConfigJson(root.get(key)) : this;
  }

  long count(String key, long otherwise) {
    JsonNode node = root.path(key);
    if (node.isMissingNode() || node.isNull()) {
      return otherwise;
    }
    if (!node.isIntegralNumber() || node.asLong() < 1) {
      throw refused(key, node, "a positive whole number");
    }
    return node.asLong();
  }

  long id(String key, long otherwise) {
    JsonNode node = root.path(key);
    if (node.isMissingNode() || node.isNull()) {
      return otherwise;
    }
    if (!node.isIntegralNumber() || node.asLong() < 0) {
      throw refused(key, node, "a token id");
    }
    return node.asLong();
  }

  double epsilon(String key, double otherwise) {
    JsonNode node = root.path(key);
    if (node.isMissingNode() || node.isNull()) {
      return otherwise;
    }
    if (!node.isNumber() || !(node.asDouble() > 0)) {
      throw refused(key, node, "a positive number");
    }
    return node.asDouble();
  }

  ClipActivation activation() {
    JsonNode node = root.path("hidden_act");
    return node.isMissingNode() ? ClipActivation.QUICK_GELU : ClipActivation.named(node.asText());
  }

  /** Returns whether {@code architectures} names a class that ends in a projection. */
  ClipHead head() {
    for (JsonNode architecture : root.path("architectures")) {
      String name = architecture.asText();
      if (name.endsWith("WithProjection") || name.equals("CLIPModel")) {
        return ClipHead.PROJECTION;
      }
    }
    return ClipHead.NONE;
  }

  void requireZero(String key) {
    JsonNode node = root.path(key);
    if (node.isNumber() && node.asDouble() != 0) {
      throw refused(key, node, "0");
    }
  }

  private static IllegalArgumentException refused(String key, JsonNode value, String allowed) {
    return new IllegalArgumentException(
        "CLIP config.json: " + key + " must be " + allowed + ", not " + value);
  }
}
