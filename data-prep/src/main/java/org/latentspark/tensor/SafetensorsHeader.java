package org.latentspark.tensor;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.latentspark.cli.InputException;

/**
 * Parses a safetensors header and refuses whatever does not describe its data byte for byte.
 *
 * <p>Reads the header as a stream and stops at the first lie, so that memory follows what the file
 * holds, never what it claims. Whatever passes here passes the reference implementation too; it
 * also takes repeated names, which its own specification forbids.
 */
final class SafetensorsHeader {
  /** The reference implementation's limit. */
  static final long MAX_LENGTH = 100_000_000;

  static final String METADATA = "__metadata__";

  /** The reference implementation's limit; its recursion counts the innermost value too. */
  private static final int MAX_DEPTH = 127;

  /** What libtorch's operations take. */
  private static final int MAX_DIMENSIONS = 64;

  private static final int LONGEST_QUOTE = 100;

  // Shared tables of names would grow with every hostile file, and give up on colliding ones.
  private static final JsonFactory JSON =
      JsonFactory.builder()
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(MAX_DEPTH).build())
          .build();

  private final String file;
  private final JsonParser parser;

  private SafetensorsHeader(String file, JsonParser parser) {
    this.file = file;
    this.parser = parser;
  }

  /**
   * Returns the tensors in the order of their data, which fills {@code dataLength} bytes.
   *
   * @param json the header alone, as UTF-8
   * @throws InputException when it is not JSON, or lies
   */
  static Map<String, SafetensorsEntry> parse(String file, InputStream json, long dataLength)
      throws IOException {
    InputStreamReader text =
        new InputStreamReader(
            json,
            StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT));
    try (JsonParser parser = JSON.createParser(text)) {
      SafetensorsHeader header = new SafetensorsHeader(file, parser);
      return header.inOrder(header.entries(), dataLength);
    } catch (JsonProcessingException e) {
      throw new InputException(file + ": the header is not JSON: " + e.getOriginalMessage(), e);
    } catch (CharacterCodingException e) {
      throw new InputException(file + ": the header is not UTF-8", e);
    }
  }

  private List<SafetensorsEntry> entries() throws IOException {
    if (parser.nextToken() != JsonToken.START_OBJECT) {
      throw refused("the header must be a JSON object");
    }
    List<SafetensorsEntry> entries = new ArrayList<>();
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = unicode(parser.currentName());
      parser.nextToken();
      if (name.equals(METADATA)) {
        requireTexts();
      } else {
        entries.add(entry(name));
      }
    }
    if (parser.nextToken() != null) {
      throw refused("the header is not JSON: more follows its object");
    }
    return entries;
  }

  private Map<String, SafetensorsEntry> inOrder(List<SafetensorsEntry> entries, long dataLength) {
    entries.sort(
        Comparator.comparingLong(SafetensorsEntry::begin).thenComparingLong(SafetensorsEntry::end));
    Map<String, SafetensorsEntry> byName = new LinkedHashMap<>();
    long end = 0;
    for (SafetensorsEntry entry : entries) {
      if (entry.begin() != end) {
        throw refused(
            "tensor %s begins at byte %d, but the data before it ends at byte %d"
                .formatted(quote(entry.name()), entry.begin(), end));
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

  private SafetensorsEntry entry(String name) throws IOException {
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      throw refused(
          "tensor %s = %s, not an object of dtype, shape and data_offsets"
              .formatted(quote(name), quote(parser.getText())));
    }
    SafetensorsType type = null;
    List<Long> shape = null;
    List<Long> offsets = null;
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String key = unicode(parser.currentName());
      parser.nextToken();
      switch (key) {
        case "dtype" -> type = type(name);
        case "shape" -> shape = naturals(name, key, MAX_DIMENSIONS);
        case "data_offsets" -> offsets = naturals(name, key, 2);
        default -> parser.skipChildren();
      }
    }
    if (type == null || shape == null || offsets == null) {
      throw refused("tensor %s lacks dtype, shape or data_offsets".formatted(quote(name)));
    }
    if (offsets.size() != 2) {
      throw refused(
          "tensor %s: data_offsets = %s, not [begin, end]".formatted(quote(name), offsets));
    }
    requireBytes(name, type, shape, offsets);
    return new SafetensorsEntry(name, type, shape, offsets.get(0), offsets.get(1));
  }

  private void requireBytes(
      String name, SafetensorsType type, List<Long> shape, List<Long> offsets) {
    long bytes;
    try {
      bytes = shape.stream().reduce((long) type.bytes(), Math::multiplyExact);
    } catch (ArithmeticException e) {
      throw new InputException(
          "%s: tensor %s: shape %s overflows".formatted(file, quote(name), shape), e);
    }
    if (offsets.get(1) - offsets.get(0) != bytes) {
      throw refused(
          "tensor %s: %s %s takes %d bytes, but data_offsets = %s"
              .formatted(quote(name), type, shape, bytes, offsets));
    }
  }

  private SafetensorsType type(String name) throws IOException {
    for (SafetensorsType type : SafetensorsType.values()) {
      if (parser.currentToken() == JsonToken.VALUE_STRING && type.name().equals(parser.getText())) {
        return type;
      }
    }
    throw refused(
        "tensor %s: dtype = %s is not supported; allowed: %s"
            .formatted(
                quote(name), quote(parser.getText()), Arrays.toString(SafetensorsType.values())));
  }

  private List<Long> naturals(String name, String key, int most) throws IOException {
    List<Long> values = new ArrayList<>();
    boolean whole = parser.currentToken() == JsonToken.START_ARRAY;
    while (whole && parser.nextToken() != JsonToken.END_ARRAY) {
      whole =
          values.size() < most
              && parser.currentToken() == JsonToken.VALUE_NUMBER_INT
              && parser.getNumberType() != JsonParser.NumberType.BIG_INTEGER
              && !parser.getText().startsWith("-");
      if (whole) {
        values.add(parser.getLongValue());
      }
    }
    if (!whole) {
      throw refused(
          "tensor %s: %s has %s after %s, and must be a list of at most %d whole numbers"
              .formatted(quote(name), key, quote(parser.getText()), values, most));
    }
    return values;
  }

  private void requireTexts() throws IOException {
    boolean texts = parser.currentToken() == JsonToken.START_OBJECT;
    while (texts && parser.nextToken() == JsonToken.FIELD_NAME) {
      unicode(parser.currentName());
      texts = parser.nextToken() == JsonToken.VALUE_STRING;
      unicode(parser.getText());
    }
    if (!texts) {
      throw refused(METADATA + " must map texts to texts");
    }
  }

  /** Refuses halves of characters, which JSON's escapes can spell and UTF-8 cannot. */
  private String unicode(String text) {
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
      throw refused("the header has a text that is no Unicode: " + quote(text));
    }
    return text;
  }

  private static String quote(String text) {
    if (text == null) {
      return "nothing";
    }
    return text.length() <= LONGEST_QUOTE ? text : text.substring(0, LONGEST_QUOTE) + "...";
  }

  private InputException refused(String why) {
    return new InputException(file + ": " + why);
  }
}
