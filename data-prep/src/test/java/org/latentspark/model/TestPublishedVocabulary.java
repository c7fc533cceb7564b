package org.latentspark.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Holds the tokenizer with CLIP's own 49,408 tokens against transformers' ids of 1,000 captions;
 * {@code make_tokenizer_fixtures.py --published} made them.
 */
@Tag("parity")
class TestPublishedVocabulary {
  private static final Path PUBLISHED = ClipCaptions.FOLDER.resolve("published");
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final int END = 49407;
  @TempDir private Path folder;

  @BeforeEach
  void unpack() throws IOException {
    for (String name : List.of("vocab.json", "merges.txt")) {
      try (InputStream in =
          new GZIPInputStream(new FileInputStream(PUBLISHED.resolve(name + ".gz").toFile()))) {
        Files.copy(in, folder.resolve(name));
      }
    }
  }

  @Test
  void thousandCaptionsHaveTheIdsOfTransformersPaddedAsStableDiffusion1() throws IOException {
    addSpecials("sd1");
    assertSameIds("sd1", END);
  }

  @Test
  void thousandCaptionsHaveTheIdsOfTransformersPaddedAsStableDiffusion2() throws IOException {
    addSpecials("sd2");
    assertSameIds("sd2", 0);
  }

  @Test
  void theOneFileFormGivesTheSameIds() throws IOException {
    ObjectNode whole = (ObjectNode) read(ClipCaptions.FOLDER.resolve("saved/tokenizer.json"));
    ObjectNode model = (ObjectNode) whole.path("model");
    model.set("vocab", read(folder.resolve("vocab.json")));
    ArrayNode merges = model.putArray("merges");
    try (var lines = Files.lines(folder.resolve("merges.txt"))) {
      lines.skip(1).forEach(merges::add);
    }
    Files.delete(folder.resolve("vocab.json"));
    Files.delete(folder.resolve("merges.txt"));
    MAPPER.writeValue(folder.resolve("tokenizer.json").toFile(), whole);
    assertSameIds("ids", END);
  }

  private void assertSameIds(String key, int padding) throws IOException {
    ClipTokenizer tokenizer = ClipTokenizer.load(folder);
    assertThat(tokenizer.vocabularySize()).isEqualTo(49_408);
    assertThat(tokenizer.maxLength()).isEqualTo(77);
    ClipCaptions captions = ClipCaptions.read(PUBLISHED.resolve("captions.json"));
    int[][] expected = captions.ids("ids");
    if (!key.equals("ids")) {
      captions.changed(key).forEach((index, ids) -> expected[index] = ids);
    }
    assertThat(expected.length).isEqualTo(1000);
    List<String> different = new ArrayList<>();
    for (int index = 0; index < expected.length; index++) {
      String caption = captions.hard().get(index);
      int[] padded = Arrays.copyOf(expected[index], 77);
      Arrays.fill(padded, expected[index].length, 77, padding);
      int[] actual = tokenizer.encode(caption);
      if (!Arrays.equals(actual, padded)) {
        different.add(
            "%s%n  %s%n  %s".formatted(caption, Arrays.toString(actual), Arrays.toString(padded)));
      }
    }
    assertThat(different).as("captions with other ids").isEmpty();
  }

  /** Writes the special tokens of a published tokenizer, for captions of 77 ids. */
  private void addSpecials(String name) throws IOException {
    for (String file : List.of("tokenizer_config.json", "special_tokens_map.json")) {
      String text = Files.readString(ClipCaptions.FOLDER.resolve(name).resolve(file));
      Files.writeString(
          folder.resolve(file),
          text.replace("\"model_max_length\": 20", "\"model_max_length\": 77"));
    }
  }

  private static JsonNode read(Path file) throws IOException {
    return MAPPER.readTree(file.toFile());
  }
}
