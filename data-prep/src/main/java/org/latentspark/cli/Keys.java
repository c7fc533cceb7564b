package org.latentspark.cli;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigUtil;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/** The keys that a verb's reference resources declare, and the help on them. */
final class Keys {
  private Keys() {}

  /** Returns the leaves by full key; unlike {@link Config#entrySet()} also those that are null. */
  static SortedMap<String, ConfigValue> leaves(Config config) {
    SortedMap<String, ConfigValue> leaves = new TreeMap<>();
    collect("", config.root(), leaves);
    return leaves;
  }

  private static void collect(String prefix, ConfigObject object, Map<String, ConfigValue> leaves) {
    for (Map.Entry<String, ConfigValue> entry : object.entrySet()) {
      String key = prefix + ConfigUtil.joinPath(entry.getKey());
      ConfigValue value = entry.getValue();
      if (value.valueType() == ConfigValueType.OBJECT) {
        collect(key + ".", (ConfigObject) value, leaves);
      } else {
        leaves.put(key, value);
      }
    }
  }

  /** Returns the known key that a mistyped one most likely means. */
  static Optional<String> nearest(String typed, Collection<String> known) {
    return nearest(typed, known, key -> key)
        // The right name in the wrong group.
        .or(() -> nearest(last(typed), known, Keys::last));
  }

  private static Optional<String> nearest(
      String typed, Collection<String> known, UnaryOperator<String> part) {
    int most = Math.max(2, typed.length() / 3);
    return known.stream()
        .min(Comparator.comparingInt(key -> distance(typed, part.apply(key))))
        .filter(key -> distance(typed, part.apply(key)) <= most);
  }

  private static String last(String key) {
    return key.substring(key.lastIndexOf('.') + 1);
  }

  /** Levenshtein's edit distance. */
  private static int distance(String left, String right) {
    int[] row = new int[right.length() + 1];
    for (int j = 0; j <= right.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= left.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= right.length(); j++) {
        int above = row[j];
        int change = left.charAt(i - 1) == right.charAt(j - 1) ? 0 : 1;
        row[j] = Math.min(Math.min(row[j], row[j - 1]) + 1, diagonal + change);
        diagonal = above;
      }
    }
    return row[right.length()];
  }

  /** Returns two lines a key: the key with its default, and its comment. */
  static String help(List<String> resources) {
    StringBuilder text = new StringBuilder();
    leaves(Layers.reference(resources).resolve())
        .forEach(
            (key, value) -> {
              text.append("  ").append(key).append('=').append(shown(value)).append('\n');
              for (String comment : value.origin().comments()) {
                text.append("      ").append(comment.strip()).append('\n');
              }
            });
    return text.toString();
  }

  static String shown(ConfigValue value) {
    return switch (value.valueType()) {
      case NULL -> "";
      case STRING -> (String) value.unwrapped();
      default -> value.render(ConfigRenderOptions.concise());
    };
  }
}
