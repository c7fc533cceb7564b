package org.latentspark.tensor;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.latentspark.cli.InputException;

/** Parses a safetensors header and refuses whatever does not describe its data byte for byte. */
final class SafetensorsHeader {
  /** The reference implementation's limit, so that a lying length costs no memory. */
  static final long MAX_LENGTH = 100_000_000;

  static final String METADATA = "__metadata__";
  private static final ObjectMapper MAPPER =
      new ObjectMapper()
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
  private final String file;

  private SafetensorsHeader(String file) {
    this.file = file;
  }

  /** Returns the tensors in the order of their data, which fills {@code dataLength} bytes. */
  static Map<String, SafetensorsEntry> parse(String file, byte[] json, long dataLength) {
    return new SafetensorsHeader(file).parse(json, dataLength);
  }

  private Map<String, SafetensorsEntry> parse(byte[] json, long dataLength) {
    List<SafetensorsEntry> entries = new ArrayList<>();
    object(json)
        .fields()
        .forEachRemaining(
            field -> {
              if (field.getKey().equals(METADATA)) {
                requireTexts(field.getValue());
              } else {
                entries.add(entry(field.getKey(), field.getValue()));
              }
            });
    entries.sort(
        Comparator.comparingLong(SafetensorsEntry::begin).thenComparingLong(SafetensorsEntry::end));
    Map<String, SafetensorsEntry> byName = new LinkedHashMap<>();
    long end = 0;
    for (SafetensorsEntry entry : entries) {
      if (entry.begin() != end) {
        throw refused(
            "tensor %s begins at byte %d, but the data before it ends at byte %d"
                .formatted(entry.name(), entry.begin(), end));
      }
      end = entry.end();
      byName.put(entry.name(), entry);
    }
    if (end != dataLength) {
      throw refused(
          "its tensors take %d bytes, but %d bytes of data follow the header"
              .formatted(end, dataLength));
    }
    return byName;
  }

  private ObjectNode object(byte[] json) {
    try {
      if (MAPPER.readTree(json) instanceof ObjectNode object) {
        return object;
      }
    } catch (IOException e) {
      throw new InputException(file + ": the header is not JSON: " + e.getMessage(), e);
    }
    throw refused("the header must be a JSON object");
  }

  private SafetensorsEntry entry(String name, JsonNode node) {
    SafetensorsType type = type(name, node.path("dtype"));
    List<Long> shape = naturals(name, "shape", node.path("shape"));
    List<Long> offsets = naturals(name, "data_offsets", node.path("data_offsets"));
    if (offsets.size() != 2) {
      throw refused("tensor %s: data_offsets = %s, not [begin, end]".formatted(name, offsets));
    }
    long begin = offsets.get(0);
    long end = offsets.get(1);
    long bytes;
    try {
      bytes = shape.stream().reduce((long) type.bytes(), Math::multiplyExact);
    } catch (ArithmeticException e) {
      throw new InputException("%s: tensor %s: shape %s overflows".formatted(file, name, shape), e);
    }
    if (end - begin != bytes) {
      throw refused(
          "tensor %s: %s %s takes %d bytes, but data_offsets = %s"
              .formatted(name, type, shape, bytes, offsets));
    }
    return new SafetensorsEntry(name, type, shape, begin, end);
  }

  private SafetensorsType type(String name, JsonNode node) {
    for (SafetensorsType type : SafetensorsType.values()) {
      if (type.name().equals(node.textValue())) {
        return type;
      }
    }
    throw refused(
        "tensor %s: dtype = %s is not supported; allowed: %s"
            .formatted(name, node, Arrays.toString(SafetensorsType.values())));
  }

  private List<Long> naturals(String name, String key, JsonNode node) {
    List<Long> values = new ArrayList<>();
    node.forEach(
        value ->
            values.add(
                value.isIntegralNumber() && value.canConvertToLong() ? value.longValue() : -1));
    if (!node.isArray() || values.stream().anyMatch(value -> value < 0)) {
      throw refused("tensor %s: %s = %s, not a list of whole numbers".formatted(name, key, node));
    }
    return values;
  }

  private void requireTexts(JsonNode metadata) {
    boolean texts = metadata.isObject();
    for (JsonNode value : metadata) {
      texts &= value.isTextual();
    }
    if (!texts) {
      throw refused(METADATA + " must map texts to texts");
    }
  }

  private InputException refused(String why) {
    return new InputException(file + ": " + why);
  }
}
