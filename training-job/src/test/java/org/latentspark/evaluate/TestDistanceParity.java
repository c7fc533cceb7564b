package org.latentspark.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.util.Arrays;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.assertj.core.data.Offset;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.latentspark.tensor.SafetensorsReader;

/** Compares with published figures; fixtures/make_evaluation_fixtures.py made the files. */
@Tag("parity")
class TestDistanceParity {
  private static final String FOLDER = "src/test/fixtures/evaluation/";

  @ParameterizedTest
  @CsvSource({
    "tall, frechet_pytorch_fid",
    "near, frechet_pytorch_fid",
    "tall, frechet_torchmetrics",
    "near, frechet_torchmetrics",
    "wide, frechet_torchmetrics",
  })
  void findsThePublishedFrechetDistance(String name, String figure) throws IOException {
    try (PointerScope scope = new PointerScope()) {
      double expected = expected(name).get(figure).asDouble();
      assertThat(FrechetDistance.between(features(name, "real"), features(name, "fake")))
          .isEqualTo(expected, relative(expected));
      assertThat(FrechetDistance.between(features(name, "fake"), features(name, "real")))
          .isEqualTo(expected, relative(expected));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tall", "near", "wide"})
  void findsThePublishedKernelDistance(String name) throws IOException {
    try (PointerScope scope = new PointerScope()) {
      double expected = expected(name).get("kernel_unbiased").asDouble();
      Tensor real = features(name, "real");
      Tensor fake = features(name, "fake");
      long size = Math.min(real.size(0), fake.size(0));
      assertThat(KernelDistance.between(real.narrow(0, 0, size), fake.narrow(0, 0, size)))
          .isEqualTo(expected, relative(expected));
    }
  }

  @ParameterizedTest
  @CsvSource({"tall, 3", "tall, 5", "near, 3", "near, 5", "wide, 3", "wide, 5"})
  void findsThePublishedPrecisionAndRecall(String name, int neighbours) throws IOException {
    try (PointerScope scope = new PointerScope()) {
      Manifolds found = Manifolds.of(features(name, "real"), features(name, "fake"), neighbours);
      JsonNode expected = expected(name);
      assertThat(found.precision())
          .isEqualTo(expected.get("precision_" + neighbours).asDouble(), within(1e-12));
      assertThat(found.recall())
          .isEqualTo(expected.get("recall_" + neighbours).asDouble(), within(1e-12));
    }
  }

  @Test
  void findsTheClipScore() throws IOException {
    try (PointerScope scope = new PointerScope()) {
      double[] scores = Judge.clipScores(features("clip", "images"), features("clip", "texts"));
      double expected = expected("clip").get("score").asDouble();
      assertThat(Samples.mean(scores)).isEqualTo(expected, within(1e-5 * expected));
      assertThat(Arrays.stream(scores).filter(score -> score == 0).count())
          .isEqualTo(expected("clip").get("zeros").asLong())
          .isPositive();
    }
  }

  private static Offset<Double> relative(double expected) {
    return within(1e-6 * Math.abs(expected));
  }

  private static JsonNode expected(String name) throws IOException {
    return new ObjectMapper().readTree(new File(FOLDER + "figures.json")).get(name);
  }

  private static Tensor features(String name, String side) throws IOException {
    try (SafetensorsReader reader =
        SafetensorsReader.open(new Path(FOLDER + "features.safetensors"), new Configuration())) {
      return reader.read(name + "." + side);
    }
  }
}
