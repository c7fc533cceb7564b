package org.latentspark.cli;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigValueFactory;
import com.typesafe.config.ConfigValueType;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.spark.deploy.SparkHadoopUtil;

/** The layers of a configuration: defaults from resources, a file, items of the command line. */
final class Layers {
  /** The scheme of an address such as s3a://bucket/train.conf. */
  private static final Pattern ELSEWHERE = Pattern.compile("[a-z][a-z0-9+.-]+://");

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

  static Config merge(Config reference, String file, List<String> overrides) {
    Config merged = file == null ? reference : parse(file).withFallback(reference);
    for (String item : overrides) {
      merged = override(merged, reference, item);
    }
    return merged;
  }

  private static Config parse(String file) {
    try {
      if (ELSEWHERE.matcher(file).lookingAt()) {
        return parseElsewhere(file);
      }
      if (!Files.isRegularFile(Path.of(file))) {
        throw new UsageException("--conf " + file + ": no such file");
      }
      return ConfigFactory.parseFile(new File(file), ConfigParseOptions.defaults());
    } catch (ConfigException e) {
      throw new UsageException("--conf " + e.getMessage(), e);
    }
  }

  /** Parses a file that the driver of a cluster reads from where all its machines can. */
  private static Config parseElsewhere(String file) {
    org.apache.hadoop.fs.Path path = new org.apache.hadoop.fs.Path(file);
    try (InputStream in = path.getFileSystem(SparkHadoopUtil.get().conf()).open(path)) {
      return ConfigFactory.parseReader(
          new InputStreamReader(in, StandardCharsets.UTF_8),
          ConfigParseOptions.defaults().setOriginDescription(file));
    } catch (IOException e) {
      throw new UsageException("--conf " + file + ": cannot be read (" + e.getMessage() + ")", e);
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
