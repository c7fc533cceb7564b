package org.latentspark.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.Launcher;
import org.latentspark.latents.LatentShape;
import org.latentspark.sample.TinyModels;
import org.latentspark.train.TinyDataset;

class TestEvaluateJob {
  private static final LatentShape SHAPE = new LatentShape(4, 8, 8);
  private static final int TOKENS = 8;
  private static final int HELD_OUT = 14;

  @TempDir static Path directory;

  @BeforeAll
  static void write() throws IOException {
    TinyModels.encoders(directory.resolve("encoders"));
    TinyModels.imageEncoder(directory.resolve("encoders"));
    TinyModels.checkpoint(directory.resolve("checkpoint"));
    TinyDataset.write(directory.resolve("dataset"), SHAPE, TOKENS, 4, HELD_OUT, 1, 2);
  }

  @Test
  void tellsEveryFigureWithItsInterval() throws IOException {
    JsonNode found = evaluate("all");
    assertThat(found.get("pairs").asInt()).isEqualTo(HELD_OUT);
    for (String figure :
        List.of("validation_loss", "frechet_distance", "kernel_distance", "precision", "recall")) {
      requireInterval(found, figure);
    }
    requireInterval(found, "clip_score");
    requireInterval(found, "clip_score_of_real_pictures");
    assertThat(found.get("frechet_distance").get("value").asDouble()).isPositive();
    assertThat(found.get("clip_score").get("value").asDouble()).isBetween(0.0, 100.0);
    JsonNode parts = found.get("validation_loss_by_timestep");
    assertThat(parts).hasSize(8);
    assertThat(parts.get(7).get("from").asInt()).isEqualTo(875);
    assertThat(parts.get(7).get("to").asInt()).isEqualTo(999);
    double sum = 0;
    for (JsonNode part : parts) {
      sum += part.get("value").asDouble();
    }
    assertThat(found.get("validation_loss").get("value").asDouble())
        .isCloseTo(sum / 8, within(1e-9));
    assertThat(found.get("kernel_distance_of_subsets").get("size").asInt()).isEqualTo(7);
    assertThat(found.get("config").get("steps").asInt()).isEqualTo(2);
  }

  @Test
  void repeatsItselfAndTellsWeightsApart() throws IOException {
    JsonNode first = figures(evaluate("first"));
    assertThat(figures(evaluate("second"))).isEqualTo(first);
    double frechet = first.get("frechet_distance").get("value").asDouble();
    assertThat(evaluate("batched", "batch-size=3").get("frechet_distance").get("value").asDouble())
        .isCloseTo(frechet, within(1e-3 * frechet));
    JsonNode raw = evaluate("raw", "weights=raw");
    assertThat(raw.get("validation_loss")).isNotEqualTo(first.get("validation_loss"));
    assertThat(raw.get("frechet_distance")).isNotEqualTo(first.get("frechet_distance"));
    assertThat(raw.get("clip_score_of_real_pictures"))
        .isEqualTo(first.get("clip_score_of_real_pictures"));
  }

  @Test
  void keepsTheReferenceForTheNextCheckpointAndMakesADamagedOneAnew() throws IOException {
    String kept = "reference=" + directory.resolve("kept");
    JsonNode first = figures(evaluate("kept-1", kept));
    Path file = directory.resolve("kept").resolve(ReferenceFeatures.FEATURES);
    byte[] bytes = Files.readAllBytes(file);
    FileTime old = FileTime.fromMillis(1_000_000);
    Files.setLastModifiedTime(file, old);
    assertThat(figures(evaluate("kept-2", kept))).isEqualTo(first);
    assertThat(Files.getLastModifiedTime(file)).as("not written again").isEqualTo(old);

    byte[] damaged = bytes.clone();
    damaged[damaged.length - 2] ^= 0x40;
    Files.write(file, damaged);
    assertThat(figures(evaluate("kept-3", kept))).isEqualTo(first);
    assertThat(Files.readAllBytes(file)).isEqualTo(bytes);

    evaluate("kept-4", kept, "count=12");
    assertThat(Files.readAllBytes(file)).as("fewer pairs").isNotEqualTo(bytes);
  }

  @Test
  void refusesTooFewPairsWithTheirCounts() throws IOException {
    Path few = directory.resolve("few");
    TinyDataset.write(few, SHAPE, TOKENS, 20, 9, 1, 1);
    assertThat(run("too-few", "dataset=" + few)).isEqualTo(3);
    assertThat(error("too-few", "dataset=" + few))
        .contains("has 9 of 29 pairs in its split validation, and the measurement needs 10");
    assertThat(directory.resolve("too-few")).doesNotExist();
  }

  @Test
  void refusesWhatDoesNotFitBeforeWork() throws IOException {
    assertThat(run("a", "count=5")).isEqualTo(2);
    assertThat(run("b", "neighbours=20", "count=30")).isEqualTo(2);
    assertThat(run("c", "sampler=euler")).isEqualTo(2);
    assertThat(run("d", "checkpoint=" + directory.resolve("nowhere"))).isEqualTo(3);
    assertThat(run("e", "dataset=" + directory.resolve("nowhere"))).isEqualTo(3);
    Path blind = directory.resolve("blind");
    TinyModels.encoders(blind);
    assertThat(error("f", "encoders=" + blind)).contains("image_encoder");
    Path other = directory.resolve("other");
    TinyDataset.write(other, new LatentShape(2, 8, 8), TOKENS, 4, HELD_OUT, 1, 1);
    assertThat(error("g", "dataset=" + other)).contains("latents of 4 channels", "holds 2 and 12");
    for (String name : List.of("a", "b", "c", "d", "e", "f", "g")) {
      assertThat(directory.resolve(name)).doesNotExist();
    }
  }

  private static void requireInterval(JsonNode found, String name) {
    JsonNode figure = found.get(name);
    assertThat(figure.get("value").asDouble())
        .as(name)
        .isBetween(figure.get("low").asDouble(), figure.get("high").asDouble());
  }

  /** Returns what must not differ between two runs. */
  private static JsonNode figures(JsonNode evaluation) {
    return ((ObjectNode) evaluation.deepCopy()).without(List.of("seconds", "config"));
  }

  private static JsonNode evaluate(String name, String... arguments) throws IOException {
    assertThat(run(name, arguments)).isZero();
    return new ObjectMapper()
        .readTree(directory.resolve(name).resolve(Evaluation.FILE_NAME).toFile());
  }

  private static String error(String name, String... arguments) {
    PrintStream before = System.err;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (PrintStream caught = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
      System.setErr(caught);
      assertThat(run(name, arguments)).isEqualTo(3);
    } finally {
      System.setErr(before);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  private static int run(String name, String... arguments) {
    List<String> all = new ArrayList<>();
    all.add("checkpoint=" + directory.resolve("checkpoint"));
    all.add("dataset=" + directory.resolve("dataset"));
    all.add("encoders=" + directory.resolve("encoders"));
    all.add("output=" + directory.resolve(name));
    all.add("steps=2");
    all.addAll(Arrays.asList(arguments));
    return Launcher.run(new EvaluateJob(), all.toArray(String[]::new));
  }
}
