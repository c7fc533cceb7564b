package org.latentspark.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a published {@code tokenizer/} directory says: vocab.json and merges.txt, or tokenizer.json,
 * and the special tokens of tokenizer_config.json and special_tokens_map.json.
 */
record ClipTokenizerFiles(
    Map<String, Integer> vocabulary,
    List<String[]> merges,
    Map<String, Boolean> specials,
    String padding,
    int maxLength) {
  static final String START = "<|startoftext|>";
  static final String END = "<|endoftext|>";
  private static final int PUBLISHED_LENGTH = 77;
  private static final List<String> NORMALIZERS = List.of("NFC", "Replace", "Lowercase");
  private static final ObjectMapper MAPPER = new ObjectMapper();

  /** Gives the bytes of a directory's file, or null where it has none of that name. */
  @FunctionalInterface
  interface Source {
    byte[] read(String name) throws IOException;
  }

  /**
   * Reads a directory.
   *
   * @throws IllegalArgumentException when its files are missing, contradict themselves or are not
   *     CLIP's
   */
  static ClipTokenizerFiles read(Source source) throws IOException {
    JsonNode config = json(source, "tokenizer_config.json");
    JsonNode legacy = json(source, "special_tokens_map.json");
    byte[] vocabulary = source.read("vocab.json");
    byte[] merges = source.read("merges.txt");
    Map<String, Integer> tokens;
    List<String[]> pairs;
    if (vocabulary != null && merges != null) {
      tokens = vocabulary(MAPPER.readTree(vocabulary));
      pairs = merges(new String(merges, StandardCharsets.UTF_8));
    } else {
      JsonNode whole = json(source, "tokenizer.json");
      if (whole.isMissingNode()) {
        throw new IllegalArgumentException(
            "has neither vocab.json and merges.txt nor tokenizer.json");
      }
      requireClip(whole);
      tokens = vocabulary(whole.path("model").path("vocab"));
      pairs = merges(whole.path("model").path("merges"));
    }
    Map<String, Boolean> specials = new LinkedHashMap<>();
    String padding = END;
    for (String role : List.of("bos_token", "eos_token", "unk_token", "pad_token")) {
      JsonNode token = special(role, config, legacy);
      String content = token.isObject() ? token.path("content").asText() : token.asText();
      if (content.isEmpty()) {
        content = role.equals("bos_token") ? START : END;
      }
      specials.put(content, token.path("normalized").asBoolean());
      if (role.equals("pad_token")) {
        padding = content;
      } else if (!content.equals(role.equals("bos_token") ? START : END)) {
        throw new IllegalArgumentException(
            role + " = " + content + " is not supported; CLIP's are " + START + " and " + END);
      }
    }
    for (JsonNode token : config.path("added_tokens_decoder")) {
      specials.put(token.path("content").asText(), token.path("normalized").asBoolean());
    }
    for (String special : specials.keySet()) {
      if (!tokens.containsKey(special)) {
        throw new IllegalArgumentException("the vocabulary lacks the special token " + special);
      }
    }
    return new ClipTokenizerFiles(tokens, pairs, specials, padding, maxLength(config));
  }

  /** The map of special tokens only counts where the configuration lists no added tokens. */
  private static JsonNode special(String role, JsonNode config, JsonNode legacy) {
    boolean listed = config.has("added_tokens_decoder");
    return !listed && legacy.has(role) ? legacy.path(role) : config.path(role);
  }

  private static int maxLength(JsonNode config) {
    JsonNode length = config.path("model_max_length");
    // Transformers writes 1e30 where nobody set a length.
    if (!length.isNumber() || length.asDouble() > 1e9) {
      return PUBLISHED_LENGTH;
    }
    if (length.asInt() < 3) {
      throw new IllegalArgumentException(
          "model_max_length = " + length + " is not supported; allowed: at least 3");
    }
    return length.asInt();
  }

  private static void requireClip(JsonNode whole) {
    JsonNode model = whole.path("model");
    require("model.type", model.path("type").asText("BPE"), "BPE");
    require(
        "model.end_of_word_suffix",
        model.path("end_of_word_suffix").asText(),
        ClipWords.END_OF_WORD);
    List<String> normalizers = new ArrayList<>();
    whole.path("normalizer").path("normalizers").forEach(n -> normalizers.add(type(n)));
    require("normalizer", normalizers.toString(), NORMALIZERS.toString());
  }

  private static String type(JsonNode node) {
    return node.path("type").asText();
  }

  private static void require(String key, String value, String allowed) {
    if (!value.equals(allowed)) {
      throw new IllegalArgumentException(
          "tokenizer.json: " + key + " = " + value + " is not supported; CLIP has " + allowed);
    }
  }

  private static JsonNode json(Source source, String name) throws IOException {
    byte[] bytes = source.read(name);
    return bytes == null ? MAPPER.missingNode() : MAPPER.readTree(bytes);
  }

  private static Map<String, Integer> vocabulary(JsonNode tokens) {
    Map<String, Integer> vocabulary = new HashMap<>();
    for (Map.Entry<String, JsonNode> token : tokens.properties()) {
      JsonNode id = token.getValue();
      if (!id.isInt() || id.intValue() < 0) {
        throw new IllegalArgumentException(
            "token \"" + token.getKey() + "\" has id " + id + "; allowed: whole numbers from 0");
      }
      vocabulary.put(token.getKey(), id.intValue());
    }
    if (vocabulary.isEmpty()) {
      throw new IllegalArgumentException("the vocabulary is empty");
    }
    return vocabulary;
  }

  private static List<String[]> merges(String text) {
    List<String[]> merges = new ArrayList<>();
    for (String line : text.split("\n", -1)) {
      String stripped = line.stripTrailing();
      if (!stripped.isEmpty() && !stripped.startsWith("#version")) {
        merges.add(pair(stripped.split(" ", -1), stripped));
      }
    }
    return merges;
  }

  private static List<String[]> merges(JsonNode list) {
    List<String[]> merges = new ArrayList<>();
    for (JsonNode merge : list) {
      String[] tokens =
          merge.isArray()
              ? new String[] {merge.path(0).asText(), merge.path(1).asText()}
              : merge.asText().split(" ", -1);
      merges.add(pair(tokens, merge));
    }
    return merges;
  }

  private static String[] pair(String[] tokens, Object line) {
    if (tokens.length != 2 || tokens[0].isEmpty() || tokens[1].isEmpty()) {
      throw new IllegalArgumentException("merge \"" + line + "\" must be two tokens");
    }
    return tokens;
  }
}
