package org.latentspark.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.latentspark.model.ModelDirectory;
import org.latentspark.tensor.Precision;
import org.latentspark.tensor.SafetensorsReader;
import org.latentspark.unet.UNet2DConditionConfig;
import org.latentspark.unet.UNet2DConditionModel;

/** Compares with what diffusers drew; fixtures/make_fixtures.py made the files. */
@Tag("parity")
class TestDdimParity {
  private static final Configuration HADOOP = new Configuration();

  @ParameterizedTest
  @ValueSource(ints = {10, 50})
  void guidedTrajectoryEndsWhereDiffusersEnds(int steps) throws IOException {
    ModelDirectory files =
        new ModelDirectory(new Path("src/test/fixtures/unet-convolutional"), HADOOP);
    UNet2DConditionModel unet =
        new UNet2DConditionModel(files.config(UNet2DConditionConfig::fromJson));
    unet.parameters().allocate();
    files.load(unet.parameters());
    Sampler sampler =
        new DdimSampler.Options(0).over(new NoiseSchedule(SchedulerConfig.STABLE_DIFFUSION), steps);
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard();
        SafetensorsReader expected = fixture("guided-" + steps)) {
      GuidedDenoiser denoiser =
          new GuidedDenoiser(
              unet,
              Precision.FP32,
              new GuidedDenoiser.Text(expected.read("text"), expected.read("pooled")),
              new GuidedDenoiser.Text(expected.read("negative"), expected.read("negative_pooled")),
              Guidance.of(3));
      Tensor start = expected.read("start");
      Tensor sample = sampler.sample(denoiser, index -> start, start);
      assertThat(distance(sample, expected.read("end"))).isLessThan(1e-4);
    }
  }

  private static SafetensorsReader fixture(String name) throws IOException {
    return SafetensorsReader.open(
        new Path("src/test/fixtures/ddim/" + name + ".safetensors"), HADOOP);
  }

  /** Returns the largest difference, relative to the largest expected value. */
  private static double distance(Tensor actual, Tensor expected) {
    return actual.sub(expected).abs().max().item_double() / expected.abs().max().item_double();
  }
}
