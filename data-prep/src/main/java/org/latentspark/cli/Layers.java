package org.latentspark.cli;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigValueFactory;
import com.typesafe.config.ConfigValueType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The layers of a configuration: defaults from resources, a file, items of the command line. */
final class Layers {
  private Layers() {}

  static Config reference(List<String> resources) {
    ClassLoader loader = Layers.class.getClassLoader();
    Config merged = ConfigFactory.empty();
    for (String resource : resources) {
      if (loader.getResource(resource) == null) {
        throw new IllegalArgumentException("no defaults on the class path: " + resource);
      }
      merged = ConfigFactory.parseResources(loader, resource).withFallback(merged);
    }
    return merged;
  }

  static Config merge(Config reference, Path file, List<String> overrides) {
    Config merged = file == null ? reference : parse(file).withFallback(reference);
    for (String item : overrides) {
      merged = override(merged, reference, item);
    }
    return merged;
  }

  private static Config parse(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new UsageException("--conf " + file + ": no such file");
    }
    try {
      return ConfigFactory.parseFile(file.toFile(), ConfigParseOptions.defaults());
    } catch (ConfigException e) {
      throw new UsageException("--conf " + e.getMessage(), e);
    }
  }

  private static Config override(Config merged, Config reference, String item) {
    int equals = item.indexOf('=');
    if (equals < 1) {
      throw new UsageException(item + ": must be key=value");
    }
    String key = item.substring(0, equals).strip();
    String value = item.substring(equals + 1);
    try {
      Object parsed = isList(reference, key) ? list(value) : value;
      return merged.withValue(key, ConfigValueFactory.fromAnyRef(parsed, "command line"));
    } catch (ConfigException e) {
      throw new UsageException(item + ": " + e.getMessage(), e);
    }
  }

  private static boolean isList(Config reference, String key) {
    return reference.hasPathOrNull(key)
        && !reference.getIsNull(key)
        && reference.getValue(key).valueType() == ConfigValueType.LIST;
  }

  private static List<?> list(String value) {
    if (value.isBlank()) {
      return List.of();
    }
    return value.stripLeading().startsWith("[")
        ? ConfigFactory.parseString("list = " + value).getList("list").unwrapped()
        : List.of(value);
  }
}
