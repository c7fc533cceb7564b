package org.latentspark.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.io.IOException;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.latentspark.model.ModelDirectory;
import org.latentspark.tensor.Parameter;
import org.latentspark.tensor.ParameterTable;
import org.latentspark.tensor.SafetensorsReader;
import org.latentspark.tensor.Tensors;

/** Compares with what diffusers computed; fixtures/make_unet_fixtures.py made the files. */
@Tag("parity")
class TestUNet2DParity {
  private static final Configuration HADOOP = new Configuration();
  private static final String FIXTURES = "src/test/fixtures/";

  /** The reference keeps this many values of each gradient, {@link #STRIDE} apart. */
  private static final long GRADIENT_SAMPLE = 128;

  private static final long STRIDE = 2147483647;

  @ParameterizedTest
  @ValueSource(strings = {"unet-convolutional", "unet-linear"})
  void savedModelsTrainAsInDiffusers(String name) throws IOException {
    Path directory = new Path(FIXTURES + name);
    ModelDirectory files = new ModelDirectory(directory, HADOOP);
    UNet2DConditionModel model = model(files);
    ParameterTable table = model.parameters();
    try (PointerScope scope = new PointerScope();
        SafetensorsReader expected = expected(directory)) {
      Tensor gradients = torch.zeros(new long[] {table.count()});
      table.bind(torch.zeros(new long[] {table.count()}), gradients);
      files.load(table);
      Tensor output =
          model.forward(
              expected.read("sample"),
              expected.read("timesteps"),
              expected.read("text"),
              expected.entries().containsKey("pooled") ? expected.read("pooled") : null);
      requireSameStep(table, gradients, output, expected.read("target"), expected, whole -> whole);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "stable-diffusion-1, 1",
    "stable-diffusion-2, 1",
    "all-levels-attend, 1",
    "middle-attends, 1",
    "one-level, 1",
    "faint, 0.03",
  })
  void everyTopologyTrainsAsInDiffusers(String name, double gain) throws IOException {
    Path directory = new Path(FIXTURES + "unet/" + name);
    UNet2DConditionModel model = model(new ModelDirectory(directory, HADOOP));
    ParameterTable table = model.parameters();
    try (PointerScope scope = new PointerScope();
        SafetensorsReader expected = expected(directory)) {
      Tensor gradients = torch.zeros(new long[] {table.count()});
      table.bind(torch.zeros(new long[] {table.count()}), gradients);
      ReferenceValues.fill(table, gain);
      Tensor output = expected.read("output");
      long[] target = Tensors.sizes(output);
      Tensor actual =
          model.forward(
              ReferenceValues.of(
                  "sample", target[0], model.config().inChannels(), target[2], target[3]),
              expected.read("timesteps"),
              ReferenceValues.of("text", target[0], 5, model.config().crossAttentionDim()),
              null);
      requireSameStep(
          table,
          gradients,
          actual,
          ReferenceValues.of("target", target),
          expected,
          TestUNet2DParity::sample);
      assertThat(Tensors.norm(gradients))
          .as("norm of all gradients")
          .isCloseTo(expected.read("gradient_norm").item_double(), withinPercentage(0.01));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"unet-convolutional", "unet-linear", "unet/all-levels-attend"})
  void writesTheConfigurationThatDiffusersReads(String name) throws IOException {
    UNet2DConditionConfig config =
        model(new ModelDirectory(new Path(FIXTURES + name), HADOOP)).config();
    assertThat(UNet2DConditionConfig.fromJson(config.toJson())).isEqualTo(config);
  }

  private static void requireSameStep(
      ParameterTable table,
      Tensor gradients,
      Tensor output,
      Tensor target,
      SafetensorsReader expected,
      UnaryOperator<Tensor> sample)
      throws IOException {
    assertThat(distance(output, expected.read("output"))).as("output").isLessThan(1e-4);
    Tensor loss = torch.mse_loss(output, target);
    assertThat(distance(loss, expected.read("loss").squeeze())).as("loss").isLessThan(1e-3);
    loss.backward();
    for (Parameter parameter : table.parameters()) {
      Tensor gradient = sample.apply(ParameterTable.view(gradients, parameter));
      assertThat(distance(gradient, expected.read("gradient." + parameter.name())))
          .as(parameter.name())
          .isLessThan(1e-3);
    }
  }

  private static Tensor sample(Tensor gradient) {
    Tensor flat = gradient.flatten();
    long count = flat.numel();
    if (count <= GRADIENT_SAMPLE) {
      return flat;
    }
    long[] places =
        LongStream.range(0, GRADIENT_SAMPLE).map(index -> index * STRIDE % count).toArray();
    return flat.index_select(0, Tensors.of(places, GRADIENT_SAMPLE));
  }

  private static UNet2DConditionModel model(ModelDirectory files) throws IOException {
    return new UNet2DConditionModel(files.config(UNet2DConditionConfig::fromJson));
  }

  private static SafetensorsReader expected(Path directory) throws IOException {
    return SafetensorsReader.open(new Path(directory, "parity.safetensors"), HADOOP);
  }

  /** Returns the largest difference, relative to the largest expected value. */
  static double distance(Tensor actual, Tensor expected) {
    return actual.sub(expected).abs().max().item_double() / expected.abs().max().item_double();
  }
}
