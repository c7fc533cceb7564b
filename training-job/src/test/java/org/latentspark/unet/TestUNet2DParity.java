package org.latentspark.unet;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.latentspark.model.ModelDirectory;
import org.latentspark.tensor.Parameter;
import org.latentspark.tensor.ParameterTable;
import org.latentspark.tensor.SafetensorsReader;

/** Compares with what diffusers computed; fixtures/make_fixtures.py made the files. */
@Tag("parity")
class TestUNet2DParity {
  private static final Configuration HADOOP = new Configuration();

  @ParameterizedTest
  @ValueSource(strings = {"unet-convolutional", "unet-linear"})
  void agreesWithDiffusers(String name) throws IOException {
    Path directory = new Path("src/test/fixtures/" + name);
    ModelDirectory files = new ModelDirectory(directory, HADOOP);
    UNet2DConditionModel model =
        new UNet2DConditionModel(files.config(UNet2DConditionConfig::fromJson));
    ParameterTable table = model.parameters();
    try (PointerScope scope = new PointerScope();
        SafetensorsReader expected =
            SafetensorsReader.open(new Path(directory, "parity.safetensors"), HADOOP)) {
      Tensor gradients = torch.zeros(new long[] {table.count()});
      table.bind(torch.zeros(new long[] {table.count()}), gradients);
      files.load(table);

      Tensor output =
          model.forward(
              expected.read("sample"),
              expected.read("timesteps"),
              expected.read("text"),
              expected.entries().containsKey("pooled") ? expected.read("pooled") : null);
      assertThat(distance(output, expected.read("output"))).isLessThan(1e-4);

      Tensor loss = torch.mse_loss(output, expected.read("target"));
      assertThat(distance(loss, expected.read("loss").squeeze())).isLessThan(1e-3);
      loss.backward();
      for (Parameter parameter : table.parameters()) {
        Tensor gradient = ParameterTable.view(gradients, parameter);
        assertThat(distance(gradient, expected.read("gradient." + parameter.name())))
            .as(parameter.name())
            .isLessThan(1e-3);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"unet-convolutional", "unet-linear"})
  void writesTheConfigurationThatDiffusersReads(String name) throws IOException {
    var config =
        new ModelDirectory(new Path("src/test/fixtures/" + name), HADOOP)
            .config(UNet2DConditionConfig::fromJson);
    assertThat(UNet2DConditionConfig.fromJson(config.toJson())).isEqualTo(config);
  }

  /** Returns the largest difference, relative to the largest expected value. */
  private static double distance(Tensor actual, Tensor expected) {
    return actual.sub(expected).abs().max().item_double() / expected.abs().max().item_double();
  }
}
