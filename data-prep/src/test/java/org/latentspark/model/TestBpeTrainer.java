package org.latentspark.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestBpeTrainer {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  @TempDir private Path folder;

  @Test
  @Tag("parity")
  void learnsTheVocabularyOfThePlainAlgorithm() throws IOException {
    BpeTrainer.train(ClipCaptions.read().training(), 1000).write(folder, 20);

    Path expected = ClipCaptions.FOLDER.resolve("tokenizer");
    assertThat(Files.readString(folder.resolve("merges.txt")))
        .isEqualTo(Files.readString(expected.resolve("merges.txt")));
    assertThat(json(folder.resolve("vocab.json"))).isEqualTo(json(expected.resolve("vocab.json")));
  }

  @Test
  @Tag("parity")
  void writesTheOneFileFormAsTransformersDoes() throws IOException {
    BpeTrainer.train(ClipCaptions.read().training(), 1000).write(folder, 20);

    JsonNode written = json(folder.resolve("tokenizer.json"));
    JsonNode expected = json(ClipCaptions.FOLDER.resolve("saved").resolve("tokenizer.json"));
    for (String part :
        List.of("added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder")) {
      assertThat(written.get(part)).as(part).isEqualTo(expected.get(part));
    }
    assertThat(written.get("model").get("vocab")).isEqualTo(expected.get("model").get("vocab"));
  }

  @Test
  void givesTheSameIdsInBothForms() throws IOException {
    BpeTrainer.train(ClipCaptions.read().training(), 800).write(folder, 20);
    List<String> hard = ClipCaptions.read().hard();
    int[][] parts = ClipTokenizer.load(folder).encode(hard);
    Files.delete(folder.resolve("merges.txt"));

    assertThat(ClipTokenizer.load(folder).encode(hard)).isDeepEqualTo(parts);
  }

  @Test
  void orderOfCaptionsDoesNotMatter() throws IOException {
    List<String> captions = new ArrayList<>(ClipCaptions.read().training());
    List<String> tokens = BpeTrainer.train(captions, 900).tokens();
    Collections.shuffle(captions, new Random(13));

    assertThat(BpeTrainer.train(captions, 900).tokens()).isEqualTo(tokens);
  }

  @Test
  void stopsWhereNoPairOccursTwice() {
    ClipVocabulary vocabulary = BpeTrainer.train(List.of("abab abab", "cd"), 2000);

    assertThat(vocabulary.tokens().subList(512, vocabulary.tokens().size()))
        .containsExactly("ab", "ab</w>", "abab</w>");
    assertThat(vocabulary.size()).isEqualTo(517);
    assertThat(vocabulary.endToken()).isEqualTo(516);
  }

  @Test
  void refusesASizeWithoutRoomForBytes() {
    assertThatThrownBy(() -> BpeTrainer.train(List.of("a"), 513))
        .hasMessageContaining("513 tokens has no room for the 514");
  }

  private static JsonNode json(Path file) throws IOException {
    return MAPPER.readTree(file.toFile());
  }
}
