package org.latentspark.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.Locale;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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
    DdimSampler sampler =
        new DdimSampler(new NoiseSchedule(SchedulerConfig.STABLE_DIFFUSION), steps, 0);
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard();
        SafetensorsReader expected = fixture("guided-" + steps)) {
      GuidedDenoiser denoiser =
          new GuidedDenoiser(
              unet,
              Precision.FP32,
              new GuidedDenoiser.Text(expected.read("text"), expected.read("pooled")),
              new GuidedDenoiser.Text(expected.read("negative"), expected.read("negative_pooled")),
              3);
      Tensor sample = expected.read("start");
      for (int t : sampler.timesteps()) {
        sample = sampler.step(denoiser.predict(sample, t), t, sample, null);
      }
      assertThat(distance(sample, expected.read("end"))).isLessThan(1e-4);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "LEADING, EPSILON, 0",
    "LEADING, V_PREDICTION, 0",
    "LEADING, SAMPLE, 1",
    "TRAILING, EPSILON, 0",
    "TRAILING, V_PREDICTION, 0",
    "TRAILING, SAMPLE, 1",
    "LINSPACE, EPSILON, 0",
    "LINSPACE, V_PREDICTION, 0",
    "LINSPACE, SAMPLE, 1",
  })
  void randomTrajectoryEndsWhereDiffusersEnds(
      TimestepSpacing spacing, PredictionType prediction, double clip) throws IOException {
    NoiseSchedule schedule =
        new NoiseSchedule(
            new SchedulerConfig(
                1000,
                BetaSchedule.SCALED_LINEAR,
                0.00085,
                0.012,
                prediction,
                clip,
                false,
                1,
                spacing));
    DdimSampler sampler = new DdimSampler(schedule, 10, 0.7);
    String name = "random-" + spacing.name() + "-" + prediction.published();
    try (PointerScope scope = new PointerScope();
        SafetensorsReader expected = fixture(name.toLowerCase(Locale.ROOT))) {
      Tensor noise = expected.read("noise");
      Tensor sample = expected.read("start");
      int index = 0;
      for (int t : sampler.timesteps()) {
        Tensor output = sample.mul(new Scalar(t / (t + 1.0)));
        sample = sampler.step(output, t, sample, noise.select(0, index++));
      }
      assertThat(distance(sample, expected.read("end"))).isLessThan(1e-5);
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
