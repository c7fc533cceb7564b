package org.latentspark.prep;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.latentspark.cli.UsageException;
import org.latentspark.latents.Manifest;

/**
 * What decides on the rows of a dataset, by the keys of the configuration: only runs that agree on
 * all of it may add to one dataset, or go on with one another's work.
 */
final class RowRules {
  private static final JsonMapper JSON =
      JsonMapper.builder().propertyNamingStrategy(PropertyNamingStrategies.KEBAB_CASE).build();

  private RowRules() {}

  /** Returns the rules that a manifest keeps beside its fields. */
  static SortedMap<String, String> of(PrepSettings settings) {
    SortedMap<String, String> rules = new TreeMap<>();
    flatten("image", JSON.valueToTree(settings.image()), rules);
    flatten("filter", JSON.valueToTree(settings.filter()), rules);
    rules.put("latents", settings.latents().code());
    rules.put("precision", settings.precision().toString());
    rules.put("seed", Long.toString(settings.seed()));
    rules.put("validation-share", Double.toString(settings.validationShare()));
    return rules;
  }

  /** Returns all rules of a run. */
  static SortedMap<String, String> of(PrepSettings settings, EncoderFacts facts) {
    return withEncoders(of(settings), facts.sha256());
  }

  /** Returns all rules of the runs that made a dataset. */
  static SortedMap<String, String> of(Manifest manifest) {
    SortedMap<String, String> settings = new TreeMap<>(manifest.settings());
    // There was no choice when older datasets were made; what else is missing stands for none.
    settings.putIfAbsent("image.resize", "area");
    return withEncoders(settings, manifest.encoders().sha256());
  }

  private static SortedMap<String, String> withEncoders(
      SortedMap<String, String> settings, SortedMap<String, String> sha256) {
    SortedMap<String, String> rules = new TreeMap<>(settings);
    sha256.forEach((part, hash) -> rules.put("encoders: sha256 of " + part, hash));
    return rules;
  }

  /**
   * Returns {@code before} with the defaults of rules that are younger: what was made without them
   * was made as if they had their defaults.
   */
  static SortedMap<String, String> completed(
      SortedMap<String, String> before, PrepSettings settings) {
    SortedMap<String, String> rules = new TreeMap<>(of(PrepSettings.defaults(settings.image())));
    rules.putAll(before);
    return rules;
  }

  /**
   * Compares the rules of now and then.
   *
   * @param then what {@code before} belongs to, as in "the dataset in x was made with"
   * @throws UsageException naming every rule that differs
   */
  static void requireSame(
      SortedMap<String, String> now, SortedMap<String, String> before, String then, String advice) {
    TreeSet<String> keys = new TreeSet<>(now.keySet());
    keys.addAll(before.keySet());
    StringBuilder differences = new StringBuilder();
    for (String key : keys) {
      String value = now.getOrDefault(key, "none");
      String old = before.getOrDefault(key, "none");
      if (!value.equals(old)) {
        differences.append("%s = %s: %s %s%n".formatted(key, value, then, old));
      }
    }
    if (!differences.isEmpty()) {
      throw new UsageException(differences + advice);
    }
  }

  private static void flatten(String name, JsonNode node, SortedMap<String, String> rules) {
    if (node.isObject()) {
      node.fields().forEachRemaining(e -> flatten(name + "." + e.getKey(), e.getValue(), rules));
    } else {
      rules.put(name, node.isValueNode() ? node.asText() : node.toString());
    }
  }
}
