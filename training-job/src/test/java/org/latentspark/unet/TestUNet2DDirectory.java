package org.latentspark.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.latentspark.cli.InputException;
import org.latentspark.model.ModelDirectory;
import org.latentspark.tensor.Parameter;
import org.latentspark.tensor.ParameterTable;
import org.latentspark.tensor.SafetensorsWriter;
import org.latentspark.tensor.Tensors;

class TestUNet2DDirectory {
  private static final Configuration HADOOP = new Configuration();
  private static final Path SAVED = new Path("src/test/fixtures/unet-convolutional");
  private static final String WEIGHTS = "diffusion_pytorch_model.safetensors";
  private static final long SEED = 11;

  /** After it, {@code make_unet_fixtures.py --check DIR} loads the directories with diffusers. */
  @Tag("parity")
  @ParameterizedTest
  @ValueSource(strings = {"unet-convolutional", "unet/stable-diffusion-2"})
  void savedModelGivesTheSameOutput(String name) throws IOException {
    ModelDirectory source = new ModelDirectory(new Path("src/test/fixtures/" + name), HADOOP);
    ModelDirectory target = new ModelDirectory(new Path("target/fixtures/" + name), HADOOP);
    UNet2DConditionModel model = model(source);
    model.parameters().allocate();
    ReferenceValues.fill(model.parameters());
    target.save(model, ModelDirectory.Layout.DIFFUSERS);
    try (PointerScope scope = new PointerScope()) {
      Map<String, Tensor> example = example(model);
      Path beside = new Path(target.path(), "expected.safetensors");
      try (OutputStream out = Files.newOutputStream(java.nio.file.Path.of(beside.toString()))) {
        SafetensorsWriter.write(out, example);
      }
      UNet2DConditionModel loaded = model(target);
      loaded.parameters().allocate();
      target.load(loaded.parameters());
      assertThat(loaded.config()).isEqualTo(model.config());
      assertThat(Tensors.floats(example(loaded).get("output")))
          .containsExactly(Tensors.floats(example.get("output")))
          .doesNotContain(0, Float.NaN);
    }
  }

  @Test
  void everyMisfitOfRandomFilesIsListedInOneError(@TempDir java.nio.file.Path folder)
      throws IOException {
    Random random = new Random(SEED);
    ModelDirectory directory = new ModelDirectory(new Path(folder.toUri()), HADOOP);
    UNet2DConditionModel model = model(new ModelDirectory(SAVED, HADOOP));
    ParameterTable table = model.parameters();
    table.allocate();
    for (int round = 0; round < 60; round++) {
      try (PointerScope scope = new PointerScope();
          NoGradGuard guard = new NoGradGuard()) {
        table.values().zero_();
        List<String> misfits = new ArrayList<>();
        Map<String, Tensor> tensors = damaged(table, random, misfits);
        try (OutputStream out = Files.newOutputStream(folder.resolve(WEIGHTS))) {
          SafetensorsWriter.write(out, tensors);
        }
        Throwable error = catchThrowable(() -> directory.load(table));
        assertThat(misfits).as("misfits of round %d", round).isNotEmpty();
        assertThat(error).as("round %d", round).isInstanceOf(InputException.class);
        List<String> lines = error.getMessage().lines().toList();
        assertThat(lines.get(0)).contains(WEIGHTS + " does not fit the model:");
        assertThat(lines.subList(1, lines.size()))
            .as("round %d", round)
            .map(String::strip)
            .containsExactlyInAnyOrderElementsOf(misfits);
        assertThat(table.values().abs().max().item_double()).as("loaded values").isZero();
      }
    }
  }

  /** Returns a file of ones with about one tensor in 40 missing, misshapen, whole or beside it. */
  private static Map<String, Tensor> damaged(
      ParameterTable table, Random random, List<String> misfits) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (Parameter parameter : table.parameters()) {
      String name = parameter.name();
      Tensor ones = torch.ones(parameter.shape());
      String shape = Arrays.toString(parameter.shape());
      switch (random.nextInt(160)) {
        case 0 -> misfits.add("missing: " + name);
        case 1 -> {
          tensors.put(name, ones.unsqueeze(0));
          misfits.add("shape: %s is [1, %s, not %s".formatted(name, shape.substring(1), shape));
        }
        case 2 -> {
          tensors.put(name, ones.to(ScalarType.Long));
          misfits.add("dtype: " + name + " is I64, not floating");
        }
        case 3 -> {
          tensors.put(name, ones);
          tensors.put("ema." + name, torch.ones(1));
          misfits.add("surplus: ema." + name);
        }
        default -> tensors.put(name, ones);
      }
    }
    return tensors;
  }

  /** Returns an input of the model and what it makes of it, under the script's names. */
  private static Map<String, Tensor> example(UNet2DConditionModel model) {
    UNet2DConditionConfig config = model.config();
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put("sample", ReferenceValues.of("sample", 2, config.inChannels(), 8, 10));
    tensors.put("timesteps", Tensors.of(new long[] {7, 933}, 2));
    tensors.put("text", ReferenceValues.of("text", 2, 5, config.crossAttentionDim()));
    int pooled = config.projectionClassEmbeddingsInputDim();
    if (pooled > 0) {
      tensors.put("pooled", ReferenceValues.of("pooled", 2, pooled));
    }
    try (NoGradGuard guard = new NoGradGuard()) {
      tensors.put(
          "output",
          model.forward(
              tensors.get("sample"),
              tensors.get("timesteps"),
              tensors.get("text"),
              tensors.get("pooled")));
    }
    return tensors;
  }

  private static UNet2DConditionModel model(ModelDirectory files) throws IOException {
    return new UNet2DConditionModel(files.config(UNet2DConditionConfig::fromJson));
  }
}
