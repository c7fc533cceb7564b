package org.latentspark.model;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Reads a published {@code config.json} key by key and refuses what the model does not do, so that
 * weights never run in an architecture they were not trained in.
 *
 * <p>Every error is an {@link IllegalArgumentException} that names the key, its value and what is
 * allowed. Keys that start with an underscore are remarks and pass.
 */
public final class ConfigJson {
  private static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          // Python writes -Infinity, and diffusers has it in a scheduler's file.
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .build();
  private final ObjectNode root;
  private final Set<String> left = new TreeSet<>();

  private ConfigJson(ObjectNode root) {
    this.root = root;
    root.fieldNames()
        .forEachRemaining(
            key -> {
              if (!key.startsWith("_") && !root.get(key).isNull()) {
                left.add(key);
              }
            });
  }

  /** Parses the text of a JSON object. */
  public static ConfigJson parse(String text) {
    try {
      if (MAPPER.readTree(text) instanceof ObjectNode object) {
        return new ConfigJson(object);
      }
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("config.json is not JSON: " + e.getMessage(), e);
    }
    throw new IllegalArgumentException("config.json must hold a JSON object");
  }

  /** Returns a whole number of at least 1, or {@code missing} where the key is absent. */
  public int positive(String key, int missing) {
    JsonNode node = take(key);
    if (node == null) {
      return missing;
    }
    if (!node.canConvertToExactIntegral() || !node.canConvertToInt() || node.intValue() < 1) {
      throw refused(key, node, "a whole number of at least 1");
    }
    return node.intValue();
  }

  /** Returns a number, or {@code missing} where the key is absent. */
  public double number(String key, double missing) {
    JsonNode node = take(key);
    if (node == null) {
      return missing;
    }
    if (!node.isNumber()) {
      throw refused(key, node, "a number");
    }
    return node.doubleValue();
  }

  /** Returns true or false, or {@code missing} where the key is absent. */
  public boolean flag(String key, boolean missing) {
    JsonNode node = take(key);
    if (node == null) {
      return missing;
    }
    if (!node.isBoolean()) {
      throw refused(key, node, "true or false");
    }
    return node.booleanValue();
  }

  /** Returns a text, or {@code missing} where the key is absent. */
  public String text(String key, String missing) {
    JsonNode node = take(key);
    if (node == null) {
      return missing;
    }
    if (!node.isTextual()) {
      throw refused(key, node, "a text");
    }
    return node.textValue();
  }

  /** Returns a list of whole numbers of at least 1, or {@code missing} where the key is absent. */
  public List<Integer> positives(String key, List<Integer> missing) {
    JsonNode node = take(key);
    if (node == null) {
      return missing;
    }
    List<Integer> values = new ArrayList<>();
    if (node.isArray()) {
      node.forEach(
          element ->
              values.add(element.canConvertToInt() && element.isInt() ? element.intValue() : 0));
    }
    if (values.isEmpty() || values.stream().anyMatch(value -> value < 1)) {
      throw refused(key, node, "a list of whole numbers of at least 1");
    }
    return List.copyOf(values);
  }

  /** Returns a list of numbers, or {@code missing} where the key is absent. */
  public List<Double> numbers(String key, List<Double> missing) {
    JsonNode node = take(key);
    if (node == null) {
      return missing;
    }
    List<Double> values = new ArrayList<>();
    if (node.isArray()) {
      node.forEach(element -> values.add(element.isNumber() ? element.doubleValue() : Double.NaN));
    }
    if (values.isEmpty() || values.contains(Double.NaN)) {
      throw refused(key, node, "a list of numbers");
    }
    return List.copyOf(values);
  }

  /** Returns a list of texts, or {@code missing} where the key is absent. */
  public List<String> texts(String key, List<String> missing) {
    JsonNode node = take(key);
    if (node == null) {
      return missing;
    }
    List<String> values = new ArrayList<>();
    if (node.isArray()) {
      node.forEach(element -> values.add(element.isTextual() ? element.textValue() : null));
    }
    if (values.isEmpty() || values.contains(null)) {
      throw refused(key, node, "a list of texts");
    }
    return List.copyOf(values);
  }

  /** Takes a JSON object and returns it, with rules of its own. */
  public ConfigJson child(String key) {
    JsonNode node = take(key);
    if (node instanceof ObjectNode object) {
      return new ConfigJson(object);
    }
    throw refused(key, node, "a JSON object");
  }

  /** Requires one of the given values (texts, numbers or booleans) where the key is present. */
  public void allow(String key, Object... values) {
    JsonNode node = take(key);
    if (node != null && Arrays.stream(values).noneMatch(value -> same(node, value))) {
      throw refused(key, node, Arrays.toString(values));
    }
  }

  /** Takes keys that have no bearing on the model's arithmetic, whatever they hold. */
  public void ignore(String... keys) {
    left.removeAll(Arrays.asList(keys));
  }

  /** Returns whether the key is there and not null, without taking it. */
  public boolean has(String key) {
    return root.hasNonNull(key);
  }

  /** Returns an error for a value that fails a rule of the caller's. */
  public IllegalArgumentException refused(String key, String allowed) {
    return refused(key, root.path(key), allowed);
  }

  /** Refuses the keys that nothing has taken. */
  public void finish() {
    if (!left.isEmpty()) {
      StringBuilder message =
          new StringBuilder("config.json has keys that this model does not do:");
      for (String key : left) {
        message.append(' ').append(key).append(" = ").append(root.get(key)).append(';');
      }
      throw new IllegalArgumentException(message.substring(0, message.length() - 1));
    }
  }

  private JsonNode take(String key) {
    left.remove(key);
    JsonNode node = root.get(key);
    return node == null || node.isNull() ? null : node;
  }

  private static boolean same(JsonNode node, Object value) {
    return node.isNumber() && value instanceof Number number
        ? node.doubleValue() == number.doubleValue()
        : MAPPER.valueToTree(value).equals(node);
  }

  private static IllegalArgumentException refused(String key, JsonNode node, String allowed) {
    return new IllegalArgumentException(
        "config.json: " + key + " = " + node + " is not supported; allowed: " + allowed);
  }
}
