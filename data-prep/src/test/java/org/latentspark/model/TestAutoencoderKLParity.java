package org.latentspark.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.tensor.SafetensorsReader;
import org.latentspark.tensor.SafetensorsWriter;

/** Compares with diffusers' AutoencoderKL; src/test/fixtures/make_fixtures.py made the fixture. */
@Tag("parity")
class TestAutoencoderKLParity {
  private static final Configuration CONFIGURATION = new Configuration();

  @Test
  void momentsAndPicturesEqualDiffusers() throws IOException {
    assertEqualsDiffusers(AutoencoderKL.load(fixture()));
  }

  @Test
  void savedDirectoryHoldsTheSameTensors(@TempDir java.nio.file.Path folder) throws IOException {
    ModelDirectory copy = new ModelDirectory(new Path(folder.toUri()), CONFIGURATION);
    copy.save(AutoencoderKL.load(fixture()), ModelDirectory.Layout.DIFFUSERS);
    try (PointerScope scope = new PointerScope();
        SafetensorsReader published = reader(fixture(), "diffusion_pytorch_model");
        SafetensorsReader saved = reader(copy, "diffusion_pytorch_model")) {
      assertThat(saved.entries().keySet())
          .containsExactlyInAnyOrderElementsOf(published.entries().keySet());
      for (String name : saved.entries().keySet()) {
        assertThat(saved.read(name).equal(published.read(name))).as(name).isTrue();
      }
    }
    assertThat(copy.config(AutoencoderKLConfig::fromJson))
        .isEqualTo(fixture().config(AutoencoderKLConfig::fromJson));
  }

  @Test
  void attentionUnderItsOldNamesGivesTheSame(@TempDir java.nio.file.Path folder)
      throws IOException {
    Files.writeString(folder.resolve("config.json"), fixture().configText());
    Map<String, Tensor> renamed = new LinkedHashMap<>();
    try (PointerScope scope = new PointerScope();
        SafetensorsReader published = reader(fixture(), "diffusion_pytorch_model");
        OutputStream out =
            Files.newOutputStream(folder.resolve("diffusion_pytorch_model.safetensors"))) {
      for (String name : published.entries().keySet()) {
        renamed.put(
            name.replace(".to_q.", ".query.")
                .replace(".to_k.", ".key.")
                .replace(".to_v.", ".value.")
                .replace(".to_out.0.", ".proj_attn."),
            published.read(name));
      }
      SafetensorsWriter.write(out, renamed);
    }
    assertThat(renamed).containsKey("encoder.mid_block.attentions.0.proj_attn.weight");
    assertEqualsDiffusers(
        AutoencoderKL.load(new ModelDirectory(new Path(folder.toUri()), CONFIGURATION)));
  }

  private static void assertEqualsDiffusers(AutoencoderKL model) throws IOException {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard();
        SafetensorsReader expected = reader(fixture(), "expected")) {
      assertClose("moments", model.encode(expected.read("pixels")), expected.read("moments"));
      assertClose("decoded", model.decode(expected.read("latents")), expected.read("decoded"));
    }
  }

  private static void assertClose(String what, Tensor actual, Tensor expected) {
    double error = actual.sub(expected).abs().max().item_double();
    assertThat(error).as(what).isLessThan(1e-4 * expected.abs().max().item_double());
  }

  private static SafetensorsReader reader(ModelDirectory directory, String stem)
      throws IOException {
    return SafetensorsReader.open(new Path(directory.path(), stem + ".safetensors"), CONFIGURATION);
  }

  private static ModelDirectory fixture() {
    return new ModelDirectory(new Path("src/test/resources/fixtures/vae-tiny"), CONFIGURATION);
  }
}
