package org.latentspark.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.latentspark.tensor.SafetensorsReader;

/** Compares with diffusers' AutoencoderKL; src/test/fixtures/make_fixtures.py made the fixture. */
@Tag("parity")
class TestAutoencoderKLParity {
  private static final Configuration CONFIGURATION = new Configuration();

  /** As diffusers writes it; as Stable Diffusion 1.5 is published; with all parts left out. */
  @ParameterizedTest
  @ValueSource(strings = {"vae-tiny", "vae-sd15", "vae-plain"})
  void momentsAndPicturesEqualDiffusers(String name) throws IOException {
    assertEqualsDiffusers(AutoencoderKL.load(fixture(name)), fixture(name));
  }

  @Test
  void stableDiffusionFixtureHasTheOldNamesOfItsPublishedWeights() throws IOException {
    try (SafetensorsReader published = reader(fixture("vae-sd15"), "diffusion_pytorch_model")) {
      assertThat(published.entries())
          .containsKey("decoder.mid_block.attentions.0.query.weight")
          .containsKey("encoder.mid_block.attentions.0.proj_attn.bias");
    }
  }

  @Test
  void savedDirectoryHoldsTheSameTensors(@TempDir java.nio.file.Path folder) throws IOException {
    ModelDirectory copy = new ModelDirectory(new Path(folder.toUri()), CONFIGURATION);
    copy.save(AutoencoderKL.load(fixture("vae-tiny")), ModelDirectory.Layout.DIFFUSERS);
    try (PointerScope scope = new PointerScope();
        SafetensorsReader published = reader(fixture("vae-tiny"), "diffusion_pytorch_model");
        SafetensorsReader saved = reader(copy, "diffusion_pytorch_model")) {
      assertThat(saved.entries().keySet())
          .containsExactlyInAnyOrderElementsOf(published.entries().keySet());
      for (String name : saved.entries().keySet()) {
        assertThat(saved.read(name).equal(published.read(name))).as(name).isTrue();
      }
    }
    assertThat(copy.config(AutoencoderKLConfig::fromJson))
        .isEqualTo(fixture("vae-tiny").config(AutoencoderKLConfig::fromJson));
  }

  private static void assertEqualsDiffusers(AutoencoderKL model, ModelDirectory fixture)
      throws IOException {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard();
        SafetensorsReader expected = reader(fixture, "expected")) {
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

  private static ModelDirectory fixture(String name) {
    return new ModelDirectory(new Path("src/test/resources/fixtures", name), CONFIGURATION);
  }
}
