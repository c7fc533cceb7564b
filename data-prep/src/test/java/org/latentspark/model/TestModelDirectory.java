package org.latentspark.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.InputException;
import org.latentspark.tensor.Initializer;
import org.latentspark.tensor.Natives;
import org.latentspark.tensor.ParameterScope;
import org.latentspark.tensor.ParameterTable;
import org.latentspark.tensor.SafetensorsType;
import org.latentspark.tensor.SafetensorsWriter;
import org.latentspark.tensor.Tensors;

class TestModelDirectory {
  private static final AutoencoderKLConfig SMALL =
      new AutoencoderKLConfig(3, 3, List.of(8, 16), 1, 4, 8, 32, 1, true, true, true);
  @TempDir private java.nio.file.Path folder;
  private ModelDirectory directory;

  @BeforeEach
  void open() {
    Natives.load();
    directory = new ModelDirectory(new Path(folder.toUri()), new Configuration());
  }

  @Test
  void savedModelLoadsAgain() throws IOException {
    AutoencoderKL model = new AutoencoderKL(SMALL);
    model.parameters().allocate();
    model.parameters().initialize(5);
    directory.save(model, ModelDirectory.Layout.DIFFUSERS);
    assertThat(folder.toFile().list())
        .containsExactlyInAnyOrder("config.json", "diffusion_pytorch_model.safetensors");
    AutoencoderKL loaded = AutoencoderKL.load(directory);
    assertThat(loaded.config()).isEqualTo(SMALL);
    assertThat(loaded.parameters().values().equal(model.parameters().values())).isTrue();
  }

  @Test
  void anotherVectorIsSavedInHalfPrecision() throws IOException {
    AutoencoderKL model = new AutoencoderKL(SMALL);
    try (PointerScope scope = new PointerScope()) {
      Tensor average = torch.ones(model.parameters().count()).mul(new Scalar(0.1));
      directory.save(model, average, ModelDirectory.Layout.DIFFUSERS, SafetensorsType.F16);
      Tensor loaded = torch.zeros(model.parameters().count());
      directory.load(model.parameters(), loaded, WeightNames.EXACT);
      assertThat(loaded.equal(average.to(ScalarType.Half).to(ScalarType.Float))).isTrue();
    }
    assertThat(Files.size(folder.resolve("diffusion_pytorch_model.safetensors")))
        .isLessThan(2 * model.parameters().count() + 50_000);
  }

  @Test
  void weightsBeyondTheLimitBecomeSeveralFiles() throws IOException {
    AutoencoderKL model = new AutoencoderKL(SMALL);
    model.parameters().allocate();
    model.parameters().initialize(5);
    Tensor values = model.parameters().values();
    directory.save(model, ModelDirectory.Layout.DIFFUSERS);
    String whole = directory.fingerprint();
    directory.save(
        model, values, ModelDirectory.Layout.DIFFUSERS, SafetensorsType.F32, values.numel());
    assertThat(folder.toFile().list())
        .as("four times the limit, and parameters are not split")
        .hasSizeBetween(6, 8)
        .contains("diffusion_pytorch_model.safetensors.index.json")
        .doesNotContain("diffusion_pytorch_model.safetensors");
    assertThat(AutoencoderKL.load(directory).parameters().values().equal(values)).isTrue();
    assertThat(directory.fingerprint()).isNotEqualTo(whole);
    directory.save(model, ModelDirectory.Layout.DIFFUSERS);
    assertThat(directory.fingerprint()).isEqualTo(whole);
  }

  @Test
  void everyMisfitIsListedInOneErrorAndNothingIsLoaded() throws IOException {
    try (PointerScope scope = new PointerScope()) {
      write(
          Map.of(
              "weight", torch.ones(3, 2),
              "count", torch.ones(1).to(ScalarType.Long),
              "position_ids", torch.ones(1),
              "good", torch.ones(1)));
      ParameterTable table = table("weight", "count", "bias", "good");
      assertThatThrownBy(() -> directory.load(table))
          .isInstanceOf(InputException.class)
          .hasMessageContainingAll(
              "shape: weight is [3, 2], not [1]",
              "dtype: count is I64, not floating",
              "surplus: position_ids",
              "missing: bias")
          .hasMessageNotContaining("good");
      assertThat(table.values().sum().item_double()).isEqualTo(0);
    }
  }

  @Test
  void surplusAndOtherNamesPassWhereAllowed() throws IOException {
    try (PointerScope scope = new PointerScope()) {
      write(Map.of("old.weight", torch.ones(1), "position_ids", torch.ones(1)));
      ParameterTable table = table("weight");
      directory.load(
          table,
          table.values(),
          WeightNames.EXACT
              .renaming(name -> name.replace("old.", ""))
              .allowing("position_ids"::equals));
      assertThat(Tensors.floats(table.values())).containsExactly(1);
      assertThatThrownBy(
              () ->
                  directory.load(
                      table, table.values(), WeightNames.EXACT.renaming(name -> "weight")))
          .hasMessageContaining("twice: ");
    }
  }

  @Test
  void autoencodersOfTheFirstStableDiffusionKeepTheirAttention() {
    assertThat(AutoencoderKL.NAMES.rename().apply("decoder.mid_block.attentions.0.proj_attn.bias"))
        .isEqualTo("decoder.mid_block.attentions.0.to_out.0.bias");
    assertThat(AutoencoderKL.NAMES.rename().apply("encoder.mid_block.attentions.0.key.weight"))
        .isEqualTo("encoder.mid_block.attentions.0.to_k.weight");
    assertThat(AutoencoderKL.NAMES.rename().apply("encoder.conv_in.weight"))
        .isEqualTo("encoder.conv_in.weight");
  }

  @Test
  void fingerprintIsTheFilesHash() throws Exception {
    byte[] weights = "weights".getBytes(StandardCharsets.UTF_8);
    Files.write(folder.resolve("model.safetensors"), weights);
    assertThat(directory.fingerprint())
        .isEqualTo(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(weights)));
  }

  @Test
  void missingPartsAreNamed() throws IOException {
    assertThatThrownBy(directory::configText)
        .isInstanceOf(InputException.class)
        .hasMessageContaining("config.json");
    Files.write(folder.resolve("diffusion_pytorch_model.bin"), new byte[3]);
    assertThatThrownBy(directory::fingerprint)
        .isInstanceOf(InputException.class)
        .hasMessageContainingAll("pickles are never read", "model.safetensors.index.json");
    Files.writeString(folder.resolve("config.json"), "{\"act_fn\": \"relu\"}");
    assertThatThrownBy(() -> AutoencoderKL.load(directory))
        .isInstanceOf(InputException.class)
        .hasMessageContainingAll(folder.toString(), "act_fn = \"relu\"");
  }

  private static ParameterTable table(String... names) {
    ParameterScope root = ParameterScope.root();
    for (String name : names) {
      root.declare(name, Initializer.constant(0), 1);
    }
    root.table().allocate();
    root.table().initialize(0);
    return root.table();
  }

  private void write(Map<String, Tensor> tensors) throws IOException {
    try (OutputStream out = Files.newOutputStream(folder.resolve("model.safetensors"))) {
      SafetensorsWriter.write(out, tensors);
    }
  }
}
