package org.latentspark.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.latentspark.averaging.StateVectors;
import org.latentspark.averaging.TrainingVectors;
import org.latentspark.events.Histogram;
import org.latentspark.graph.Architecture;
import org.latentspark.graph.TinyUNet;
import org.latentspark.tensor.Natives;
import org.latentspark.tensor.Parameter;
import org.latentspark.tensor.ParameterTable;
import org.latentspark.tensor.Tensors;

class TestHistograms {
  private static final long SEED = 20261123;

  @ParameterizedTest
  @CsvSource({
    "conv_in.weight, conv_in",
    "down_blocks.0.resnets.1.conv1.bias, down_blocks",
    "down_blocks.0.attentions.1.proj_in.weight, attention",
    "text_model.encoder.layers.3.self_attn.q_proj.weight, attention",
    "logit_scale, logit_scale"
  })
  void partsAreThoseOfThePublishedNames(String name, String part) {
    assertThat(Histograms.part(name)).isEqualTo(part);
  }

  @Test
  void tellsHowThePartsAreSpread() {
    Natives.operationThreads(1);
    try (PointerScope scope = new PointerScope()) {
      ParameterTable table = Architecture.UNET.build(TinyUNet.CONFIG).parameters();
      TrainingVectors vectors = StateVectors.random(table.count(), SEED);
      Map<String, Histogram> histograms = Histograms.of(table, vectors);

      assertThat(histograms).hasSizeBetween(10, 24).containsKeys("weights/up_blocks");
      assertThat(
              histograms.entrySet().stream()
                  .filter(one -> one.getKey().startsWith("weights/"))
                  .mapToLong(one -> one.getValue().count())
                  .sum())
          .isEqualTo(table.count());
      assertSpread(
          histograms.get("weights/attention"),
          values(table, "attention", Tensors.floats(vectors.average())));
      assertSpread(
          histograms.get("gradients/conv_in"),
          values(table, "conv_in", Tensors.floats(vectors.moments().get("exp_avg"))));
    }
  }

  @Test
  void valuesThatAreAllTheSameLieInOneBucket() {
    Natives.operationThreads(1);
    try (PointerScope scope = new PointerScope()) {
      ParameterTable table = Architecture.UNET.build(TinyUNet.CONFIG).parameters();
      Histogram zeros =
          Histograms.of(table, StateVectors.zeros(table.count())).get("weights/conv_in");
      assertThat(zeros.buckets()[0]).isEqualTo(zeros.count());
      assertThat(Arrays.stream(zeros.buckets()).sum()).isEqualTo(zeros.count());
    }
  }

  private static void assertSpread(Histogram histogram, List<Double> values) {
    assertThat(histogram.count()).isEqualTo(values.size());
    double least = values.stream().min(Double::compare).orElseThrow();
    double greatest = values.stream().max(Double::compare).orElseThrow();
    assertThat(histogram.least()).isEqualTo(least);
    assertThat(histogram.greatest()).isEqualTo(greatest);
    double sum = values.stream().mapToDouble(value -> value).sum();
    double squares = values.stream().mapToDouble(value -> value * value).sum();
    assertThat(histogram.sum()).isCloseTo(sum, within(1e-5 * squares));
    assertThat(histogram.squares()).isCloseTo(squares, within(1e-5 * squares));
    assertThat(Arrays.stream(histogram.buckets()).sum()).isEqualTo(values.size());
    double middle = (least + greatest) / 2;
    long lower = Arrays.stream(histogram.buckets()).limit(Histograms.BUCKETS / 2).sum();
    long expected = values.stream().filter(value -> value < middle).count();
    assertThat(lower).as("values below %s", middle).isCloseTo(expected, within(1L));
  }

  private static List<Double> values(ParameterTable table, String part, float[] vector) {
    List<Double> values = new ArrayList<>();
    for (Parameter parameter : table.parameters()) {
      if (Histograms.part(parameter.name()).equals(part)) {
        for (long i = parameter.offset(); i < parameter.offset() + parameter.count(); i++) {
          values.add((double) vector[(int) i]);
        }
      }
    }
    return values;
  }
}
