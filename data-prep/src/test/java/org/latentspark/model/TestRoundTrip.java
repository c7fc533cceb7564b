package org.latentspark.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.latentspark.tensor.SafetensorsType;
import org.latentspark.tensor.SafetensorsWriter;
import org.latentspark.tensor.Seeds;
import org.latentspark.tensor.Tensors;

/**
 * Writes models of random weights into {@code target/round-trip}, loads them again, and leaves what
 * they compute beside them; {@code make_fixtures.py --check target/round-trip} holds diffusers and
 * transformers against that.
 */
@Tag("parity")
class TestRoundTrip {
  private static final Path ROOT = new Path("target/round-trip");
  private static final Configuration CONFIGURATION = new Configuration();
  private static final long UNSPLIT = Long.MAX_VALUE / 16;
  private static final String TEXT =
      """
      {"architectures": ["%s"], "hidden_size": 24, "intermediate_size": 40, "projection_dim": 10,
       "num_attention_heads": 3, "num_hidden_layers": 2, "vocab_size": 60,
       "max_position_embeddings": 9, "eos_token_id": 59, "hidden_act": "gelu"}
      """;
  private static final String VISION =
      """
      {"architectures": ["%s"], "hidden_size": 24, "intermediate_size": 40, "projection_dim": 10,
       "num_attention_heads": 3, "num_hidden_layers": 2, "image_size": 18, "patch_size": 4}
      """;

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "BF16"})
  void autoencodersComputeTheSame(SafetensorsType type) throws IOException {
    AutoencoderKL model = new AutoencoderKL(vae());
    AutoencoderKL loaded = new AutoencoderKL(vae());
    save("vae-" + type, model, loaded, ModelDirectory.Layout.DIFFUSERS, type, UNSPLIT, this::run);
  }

  @Test
  void autoencodersInSeveralFilesComputeTheSame() throws IOException {
    AutoencoderKL model = new AutoencoderKL(vae());
    AutoencoderKL loaded = new AutoencoderKL(vae());
    save(
        "vae-sharded",
        model,
        loaded,
        ModelDirectory.Layout.DIFFUSERS,
        SafetensorsType.F32,
        100_000,
        this::run);
  }

  @ParameterizedTest
  @EnumSource(ClipHead.class)
  void towersComputeTheSame(ClipHead head) throws IOException {
    String suffix = head == ClipHead.NONE ? "" : "WithProjection";
    ClipTextConfig text = ClipTextConfig.parse(TEXT.formatted("CLIPTextModel" + suffix));
    save("text" + suffix, new ClipTextModel(text), new ClipTextModel(text), this::run);
    ClipVisionConfig vision = ClipVisionConfig.parse(VISION.formatted("CLIPVisionModel" + suffix));
    save("vision" + suffix, new ClipVisionModel(vision), new ClipVisionModel(vision), this::run);
  }

  @Test
  void bothTowersComputeTheSame() throws IOException {
    ClipConfig config =
        new ClipConfig(
            ClipTextConfig.read(TEXT, ClipHead.PROJECTION),
            ClipVisionConfig.read(VISION, ClipHead.PROJECTION));
    save("both", new ClipModel(config), new ClipModel(config), this::run);
  }

  private void run(AutoencoderKL model, Map<String, Tensor> values) {
    Tensor pixels = torch.rand(new long[] {2, 3, 24, 32}, Seeds.generator(1));
    Tensor moments = model.encode(pixels);
    Tensor latents = moments.narrow(1, 0, 4);
    values.put("pixels", pixels);
    values.put("moments", moments);
    values.put("latents", latents);
    values.put("decoded", model.decode(latents));
  }

  private void run(ClipTextModel model, Map<String, Tensor> values) {
    Tensor ids = ids();
    Tensor hidden = model.hiddenStates(ids);
    values.put("ids", ids);
    values.put("hidden", hidden);
    values.put("pooled", model.pooled(hidden, ids));
    if (model.config().head() == ClipHead.PROJECTION) {
      values.put("embedded", model.embed(ids));
    }
  }

  private void run(ClipVisionModel model, Map<String, Tensor> values) {
    Tensor pixels = pixels();
    Tensor hidden = model.hiddenStates(pixels);
    values.put("pixels", pixels);
    values.put("hidden", hidden);
    values.put("pooled", model.pooled(hidden));
    if (model.config().tower().head() == ClipHead.PROJECTION) {
      values.put("embedded", model.embed(pixels));
    }
  }

  private void run(ClipModel model, Map<String, Tensor> values) {
    values.put("ids", ids());
    values.put("pixels", pixels());
    values.put("similarity", model.similarity(pixels(), ids()));
  }

  private static <M extends TorchModel> void save(
      String name, M model, M loaded, BiConsumer<M, Map<String, Tensor>> run) throws IOException {
    ModelDirectory.Layout layout = ModelDirectory.Layout.TRANSFORMERS;
    save(name, model, loaded, layout, SafetensorsType.F32, UNSPLIT, run);
  }

  private static <M extends TorchModel> void save(
      String name,
      M model,
      M loaded,
      ModelDirectory.Layout layout,
      SafetensorsType type,
      long fileBytes,
      BiConsumer<M, Map<String, Tensor>> run)
      throws IOException {
    Path folder = new Path(ROOT, name);
    FileSystem files = folder.getFileSystem(CONFIGURATION);
    files.delete(folder, true);
    model.parameters().allocate();
    model.parameters().initialize(20261123);
    ModelDirectory directory = new ModelDirectory(folder, CONFIGURATION);
    directory.save(model, model.parameters().values(), layout, type, fileBytes);
    directory.load(loaded, WeightNames.EXACT);
    assertThat(directory.configText()).isEqualTo(loaded.configJson());
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      Map<String, Tensor> before = new TreeMap<>();
      Map<String, Tensor> after = new TreeMap<>();
      run.accept(model, before);
      run.accept(loaded, after);
      for (String value : before.keySet()) {
        if (type == SafetensorsType.F32) {
          assertThat(after.get(value).equal(before.get(value))).as(value).isTrue();
        }
      }
      try (OutputStream out = files.create(new Path(folder, "io.safetensors"))) {
        SafetensorsWriter.write(out, after);
      }
    }
  }

  private static AutoencoderKLConfig vae() {
    return AutoencoderKLConfig.fromJson(
        TestPublishedConfigs.text("sd15-vae")
            .replace("128,", "8,")
            .replace("256,", "16,")
            .replace("512,\n    512", "16,\n    16")
            .replace("\"norm_num_groups\": 32", "\"norm_num_groups\": 8"));
  }

  private static Tensor ids() {
    return Tensors.of(new long[] {58, 1, 2, 3, 59, 0, 0, 0, 0, 58, 4, 5, 6, 7, 8, 9, 59, 59}, 2, 9);
  }

  private static Tensor pixels() {
    return torch.rand(new long[] {2, 3, 18, 18}, Seeds.generator(2));
  }
}
