package org.latentspark.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.InputException;

class TestClipTokenizer {
  private static final Path TOKENIZER = ClipCaptions.FOLDER.resolve("tokenizer");
  @TempDir private Path folder;

  @Test
  @Tag("parity")
  void hardCaptionsHaveTheIdsOfTransformers() throws IOException {
    assertSameIds(ClipTokenizer.load(TOKENIZER), "ids");
  }

  @Test
  @Tag("parity")
  void theOneFileFormOfTransformersHasTheSameIds() throws IOException {
    assertSameIds(ClipTokenizer.load(ClipCaptions.FOLDER.resolve("saved")), "ids");
  }

  @Test
  @Tag("parity")
  void specialTokensOfStableDiffusion1HaveTheIdsOfTransformers() throws IOException {
    assertSameIds(ClipTokenizer.load(withSpecials("sd1")), "ids_sd1");
  }

  @Test
  @Tag("parity")
  void paddingOfStableDiffusion2HasTheIdsOfTransformers() throws IOException {
    assertSameIds(ClipTokenizer.load(withSpecials("sd2")), "ids_sd2");
  }

  @Test
  void cutsLongCaptionsBeforeTheEndTokenAndPadsShortOnes() throws IOException {
    ClipTokenizer tokenizer = ClipTokenizer.load(TOKENIZER);

    int[] cut = tokenizer.encode("cat ".repeat(500));
    int[] padded = tokenizer.encode("cat");

    assertThat(tokenizer.vocabularySize()).isEqualTo(1000);
    assertThat(tokenizer.endToken()).isEqualTo(999);
    assertThat(cut).hasSize(tokenizer.maxLength()).startsWith(998).endsWith(cut[18], 999);
    assertThat(cut[18]).isNotEqualTo(999);
    assertThat(padded).hasSize(20).startsWith(998).containsSubsequence(999, 999);
  }

  @Test
  void loadsFromHadoopFileSystems() throws IOException {
    ClipTokenizer local = ClipTokenizer.load(TOKENIZER);
    ClipTokenizer hadoop =
        ClipTokenizer.load(new org.apache.hadoop.fs.Path(TOKENIZER.toUri()), new Configuration());

    assertThat(hadoop.encode("green apple")).isEqualTo(local.encode("green apple"));
  }

  @Test
  void travelsToExecutors() throws IOException, ClassNotFoundException {
    ClipTokenizer tokenizer = ClipTokenizer.load(withSpecials("sd2"));
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(tokenizer);
    }

    try (ObjectInputStream in =
        new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      ClipTokenizer copy = (ClipTokenizer) in.readObject();
      List<String> hard = ClipCaptions.read().hard();
      assertThat(copy.encode(hard)).isDeepEqualTo(tokenizer.encode(hard));
    }
  }

  @Test
  @Tag("chaos")
  @Timeout(20)
  void wordOfAMillionLettersCostsLittle() throws IOException {
    ClipTokenizer tokenizer = ClipTokenizer.load(TOKENIZER);

    assertThat(tokenizer.encode("apple".repeat(200_000))).startsWith(998).endsWith(999);
    assertThat(tokenizer.encode("🍏".repeat(200_000))).startsWith(998).endsWith(999);
  }

  @Test
  void namesWhatIsWrongWithADirectory() throws IOException {
    assertThatThrownBy(() -> ClipTokenizer.load(folder))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(folder.toString())
        .hasMessageContaining("neither vocab.json and merges.txt nor tokenizer.json");

    Files.writeString(folder.resolve("tokenizer.json"), "{\"model\": {\"type\": \"Unigram\"}}");
    assertThatThrownBy(() -> ClipTokenizer.load(folder))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("model.type = Unigram is not supported");

    Files.writeString(folder.resolve("vocab.json"), "{\"a\": -1}");
    Files.writeString(folder.resolve("merges.txt"), "");
    assertThatThrownBy(() -> ClipTokenizer.load(folder))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("token \"a\" has id -1; allowed: whole numbers from 0");

    Files.writeString(folder.resolve("vocab.json"), "{\"a\": 0, \"<|endoftext|>\": 1}");
    Files.writeString(folder.resolve("merges.txt"), "a b\n");
    assertThatThrownBy(() -> ClipTokenizer.load(folder))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("lacks the special token <|startoftext|>");

    Files.writeString(
        folder.resolve("vocab.json"), "{\"a\": 0, \"<|endoftext|>\": 1, \"<|startoftext|>\": 2}");
    assertThatThrownBy(() -> ClipTokenizer.load(folder))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("token \"b\", which the vocabulary lacks");

    Files.writeString(folder.resolve("merges.txt"), "a\n");
    assertThatThrownBy(() -> ClipTokenizer.load(folder))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("merge \"a\" must be two tokens");
  }

  private static void assertSameIds(ClipTokenizer tokenizer, String key) throws IOException {
    ClipCaptions captions = ClipCaptions.read();
    int[][] expected = captions.ids(key);
    assertThat(expected.length).isGreaterThan(90);
    SoftAssertions.assertSoftly(
        softly -> {
          for (int index = 0; index < expected.length; index++) {
            String caption = captions.hard().get(index);
            softly.assertThat(tokenizer.encode(caption)).as(caption).isEqualTo(expected[index]);
          }
        });
  }

  /** Puts the fixture's vocabulary beside the special tokens of a published tokenizer. */
  private Path withSpecials(String name) throws IOException {
    for (String file : List.of("vocab.json", "merges.txt")) {
      Files.copy(TOKENIZER.resolve(file), folder.resolve(file));
    }
    for (String file : List.of("tokenizer_config.json", "special_tokens_map.json")) {
      Files.copy(ClipCaptions.FOLDER.resolve(name).resolve(file), folder.resolve(file));
    }
    return folder;
  }
}
