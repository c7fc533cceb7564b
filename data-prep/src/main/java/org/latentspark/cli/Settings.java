package org.latentspark.cli;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * A verb's effective configuration: its defaults, overridden by a file, overridden by {@code
 * key=value} arguments.
 *
 * <p>Reads never throw on a bad value: they record the problem and return the default, so that
 * {@link #check()} reports everything that is wrong at once. {@link #read} does both.
 */
public final class Settings {
  private final Config config;
  private final SortedMap<String, ConfigValue> values;
  private final SortedMap<String, ConfigValue> defaults;
  private final Map<String, String> problems = new LinkedHashMap<>();
  private final TreeSet<String> unread;

  private Settings(Config config, Config reference) {
    this.config = config;
    this.values = Keys.leaves(config);
    this.defaults = Keys.leaves(reference);
    this.unread = new TreeSet<>(defaults.keySet());
    values.forEach(this::refuseUnknown);
    for (String key : defaults.keySet()) {
      if (!values.containsKey(key) && !problems.containsKey(key)) {
        refuseMissing(key);
      }
    }
  }

  /**
   * Loads a configuration; unknown keys are recorded as problems.
   *
   * @param references class path resources in HOCON that declare every key; later ones override
   *     earlier ones and may add keys
   * @param file HOCON file of the user, or null
   * @param overrides {@code key=value} items; the value is taken as it stands, without quotes, and
   *     a list is written {@code [a, b]} or as its only item
   * @throws UsageException if the file or an item cannot be parsed
   */
  public static Settings load(List<String> references, Path file, List<String> overrides) {
    return loadFrom(references, file == null ? null : file.toString(), overrides);
  }

  /**
   * Loads a configuration whose file may lie elsewhere, such as {@code s3a://bucket/train.conf}.
   *
   * @see #load
   */
  public static Settings loadFrom(List<String> references, String file, List<String> overrides) {
    Config reference = Layers.reference(references);
    Config merged = Layers.merge(reference, file, overrides);
    try {
      return new Settings(merged.resolve(), reference.resolve());
    } catch (ConfigException e) {
      throw new UsageException("configuration: " + e.getMessage(), e);
    }
  }

  /** Returns every key with its default, as plain Java values; what a test of the defaults pins. */
  public static SortedMap<String, Object> defaults(List<String> references) {
    SortedMap<String, Object> plain = new TreeMap<>();
    Keys.leaves(Layers.reference(references).resolve())
        .forEach((key, value) -> plain.put(key, value.unwrapped()));
    return plain;
  }

  private void refuseUnknown(String key, ConfigValue value) {
    if (defaults.containsKey(key)) {
      return;
    }
    String origin = " (" + value.origin().description() + ")";
    String group = key + ".";
    if (defaults.keySet().stream().anyMatch(known -> known.startsWith(group))) {
      problems.put(key, key + origin + ": is a group of keys, it takes no value itself");
      return;
    }
    for (String known : defaults.keySet()) {
      if (key.startsWith(known + ".")) {
        problems.put(key, key + origin + ": " + known + " takes a value, not a group of keys");
        return;
      }
    }
    String allowed =
        Keys.nearest(key, defaults.keySet())
            .map(nearest -> "did you mean " + nearest + "?")
            .orElse("--help lists the keys");
    problems.put(
        key, key + " = " + Keys.shown(value) + origin + ": is not a known key; " + allowed);
  }

  /** A default that a file replaced by a group, or whose group a file replaced by a value. */
  private void refuseMissing(String key) {
    boolean reported =
        problems.keySet().stream()
            .anyMatch(other -> key.startsWith(other + ".") || other.startsWith(key + "."));
    if (!reported) {
      problems.put(key, key + ": takes a value, not a group of keys");
    }
  }

  /** Returns the text of a key, "" where it is null. */
  public String string(String key) {
    return read(key, "", "text", Settings::text);
  }

  /** Returns the text of a key that has no usable default: empty or null is a problem. */
  public String required(String key) {
    String text = string(key);
    if (text.isBlank() && !problems.containsKey(key)) {
      problems.put(key, key + ": is required, give it as " + key + "=VALUE or in the --conf file");
    }
    return text;
  }

  /** Returns a whole number from min to max. */
  public int integer(String key, int min, int max) {
    return Math.toIntExact(longInteger(key, min, max));
  }

  /** Returns a whole number from min to max, such as a seed. */
  public long longInteger(String key, long min, long max) {
    return read(
        key,
        min,
        "a whole number" + range(min, max, Long.toString(min), Long.toString(max)),
        value -> {
          long number = new BigDecimal(text(value)).longValueExact();
          require(number >= min && number <= max);
          return number;
        });
  }

  /** Returns a finite number from min to max; {@link Double#MIN_VALUE} as min means above 0. */
  public double number(String key, double min, double max) {
    return read(
        key,
        min,
        "a number" + range(min, max, Double.toString(min), Double.toString(max)),
        value -> {
          double number = new BigDecimal(text(value)).doubleValue();
          require(Double.isFinite(number) && number >= min && number <= max);
          return number;
        });
  }

  private static String range(double min, double max, String from, String to) {
    String lower = min <= Integer.MIN_VALUE ? "" : " from " + from;
    if (min == Double.MIN_VALUE) {
      lower = " above 0";
    }
    return lower + (max >= Integer.MAX_VALUE ? "" : (lower.isEmpty() ? " up to " : " to ") + to);
  }

  /** Returns whether a key is on: true or false. */
  public boolean flag(String key) {
    return read(
        key,
        false,
        "true or false",
        value -> {
          String text = text(value);
          require(text.equals("true") || text.equals("false"));
          return text.equals("true");
        });
  }

  /** Returns a duration, such as {@code 10 s}; a bare number is milliseconds. */
  public Duration duration(String key) {
    return read(
        key,
        Duration.ZERO,
        "a duration such as 500 ms, 10 s, 5 m, 2 h or 1 d",
        value -> {
          Duration duration = value.atKey("value").getDuration("value");
          require(!duration.isNegative());
          return duration;
        });
  }

  /** Returns a size in bytes, such as {@code 256 MiB}; a bare number is bytes. */
  public long bytes(String key) {
    return read(
        key,
        0L,
        "a size such as 512 KiB, 256 MiB or 4 GiB",
        value -> value.atKey("value").getMemorySize("value").toBytes());
  }

  /** Returns the constant whose kebab-case name a key holds: {@code MEAN_STD} is mean-std. */
  public <E extends Enum<E>> E oneOf(String key, Class<E> type) {
    Map<String, E> names = new LinkedHashMap<>();
    for (E constant : type.getEnumConstants()) {
      names.put(kebab(constant), constant);
    }
    return read(
        key,
        type.getEnumConstants()[0],
        "one of " + String.join(", ", names.keySet()),
        value -> {
          E constant = names.get(text(value));
          require(constant != null);
          return constant;
        });
  }

  /** Returns the name by which configuration, help and records call a constant. */
  public static String kebab(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Returns a list of texts. */
  public List<String> strings(String key) {
    return read(
        key,
        List.<String>of(),
        "a list such as [a, b]",
        value -> ((List<?>) value.unwrapped()).stream().map(String::valueOf).toList());
  }

  /**
   * Records a problem that a single read cannot see, such as two keys that contradict each other.
   *
   * @param allowed what the value must be, as in "must be at most train.steps (100)"
   */
  public void refuse(String key, String allowed) {
    problems.putIfAbsent(key, shown(key) + ": " + allowed);
  }

  /**
   * Reports everything that is wrong with the configuration; does nothing if all is well.
   *
   * @throws UsageException with one line a problem
   */
  public void check() {
    if (!problems.isEmpty()) {
      throw new UsageException(String.join("\n", problems.values()));
    }
  }

  /**
   * Reads a whole configuration and checks it.
   *
   * @throws UsageException if any key is unknown or any value is refused
   */
  public <C> C read(Function<Settings, C> reader) {
    C result;
    try {
      result = reader.apply(this);
    } catch (RuntimeException e) {
      // A reader may stumble over the defaults that stand in for refused values.
      check();
      throw e;
    }
    check();
    return result;
  }

  /** Returns the declared keys that nothing has read; a verb's test wants none. */
  public SortedMap<String, Object> unread() {
    SortedMap<String, Object> left = new TreeMap<>();
    unread.forEach(key -> left.put(key, defaults.get(key).unwrapped()));
    return left;
  }

  /** Returns the effective configuration as one line of JSON with sorted keys, for records. */
  public String render() {
    return config.root().render(ConfigRenderOptions.concise());
  }

  private <T> T read(String key, T last, String allowed, Function<ConfigValue, T> parser) {
    ConfigValue standard = defaults.get(key);
    if (standard == null) {
      throw new IllegalArgumentException(key + ": no reference.conf declares this key");
    }
    unread.remove(key);
    if (problems.containsKey(key) || !values.containsKey(key)) {
      return fallback(standard, last, parser);
    }
    try {
      return parser.apply(values.get(key));
    } catch (RuntimeException e) {
      // ConfigException, ArithmeticException, NumberFormatException and the like: all mean refused.
      problems.put(key, shown(key) + ": must be " + allowed);
      return fallback(standard, last, parser);
    }
  }

  private static <T> T fallback(ConfigValue standard, T last, Function<ConfigValue, T> parser) {
    try {
      return parser.apply(standard);
    } catch (RuntimeException e) {
      return last;
    }
  }

  private String shown(String key) {
    ConfigValue value = values.get(key);
    if (value == null) {
      return key;
    }
    String origin = value.equals(defaults.get(key)) ? "default" : value.origin().description();
    return key + " = " + Keys.shown(value) + " (" + origin + ")";
  }

  private static String text(ConfigValue value) {
    require(value.valueType() != ConfigValueType.LIST);
    return value.unwrapped() == null ? "" : String.valueOf(value.unwrapped()).strip();
  }

  private static void require(boolean holds) {
    if (!holds) {
      throw new IllegalArgumentException();
    }
  }
}
