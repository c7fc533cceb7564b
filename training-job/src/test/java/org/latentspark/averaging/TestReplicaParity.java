package org.latentspark.averaging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.io.IOException;
import java.time.Duration;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.latentspark.diffusion.NoiseSchedule;
import org.latentspark.diffusion.SchedulerConfig;
import org.latentspark.graph.Architecture;
import org.latentspark.graph.TorchGraphs;
import org.latentspark.model.ModelDirectory;
import org.latentspark.tensor.Precision;
import org.latentspark.tensor.SafetensorsReader;
import org.latentspark.unet.ReferenceValues;
import org.latentspark.unet.UNet2DConditionModel;
import org.nd4j.linalg.learning.config.NoOp;

/** Compares with diffusers and torch.optim.AdamW; fixtures/make_unet_fixtures.py made the files. */
@Tag("parity")
class TestReplicaParity {
  private static final Path FIXTURE = new Path("src/test/fixtures/unet/training");
  private static final int STEPS = 20;
  private static final AveragingPlan PLAN =
      new AveragingPlan(
          1,
          STEPS,
          1,
          1,
          LearningRate.constant(1e-3),
          new InnerOptimizer.AdamWSettings(0.9, 0.999, 1e-8, 5, Decay.ALL),
          1,
          0.999,
          1,
          Precision.FP32,
          1,
          Duration.ofMinutes(1));

  @Test
  void twentyStepsFollowTheReferencesLosses() throws IOException {
    Configuration hadoop = new Configuration();
    String config = new ModelDirectory(FIXTURE, hadoop).configText();
    var graph = TorchGraphs.configuration(Architecture.UNET, config, 0, new NoOp());
    try (PointerScope scope = new PointerScope();
        Replica replica = new Replica(graph, PLAN);
        SafetensorsReader expected =
            SafetensorsReader.open(new Path(FIXTURE, "parity.safetensors"), hadoop)) {
      ReferenceValues.fill(replica.model().parameters());
      GivenNoise given =
          new GivenNoise(
              (UNet2DConditionModel) replica.model(),
              new NoiseSchedule(SchedulerConfig.STABLE_DIFFUSION),
              expected.read("timesteps"),
              ReferenceValues.of("latents", 4, 4, 8, 8),
              ReferenceValues.of("text", 4, 5, 12));
      Tensor losses = expected.read("losses");
      Tensor norms = expected.read("norms");
      for (int step = 0; step < STEPS; step++) {
        Replica.Step made = replica.step(given, step, step);
        assertThat(made.loss())
            .as("loss of step %d", step)
            .isCloseTo(losses.select(0, step).item_double(), withinPercentage(0.1));
        assertThat(made.gradientNorm())
            .as("gradient norm of step %d", step)
            .isCloseTo(norms.select(0, step).item_double(), withinPercentage(0.1));
      }
    }
  }

  /** Four latents, noised anew at each step as the reference's were. */
  private record GivenNoise(
      UNet2DConditionModel model,
      NoiseSchedule schedule,
      Tensor timesteps,
      Tensor latents,
      Tensor text)
      implements Objective.Session {
    @Override
    public int batchSize() {
      return 4;
    }

    @Override
    public Tensor loss(long step) {
      Tensor noise = ReferenceValues.of("noise." + step, 4, 4, 8, 8);
      Tensor at = timesteps.select(0, step);
      Tensor noisy = schedule.addNoise(latents, noise, at);
      return torch.mse_loss(model.forward(noisy, at, text, null), noise);
    }

    @Override
    public Objective.Validation validate() {
      throw new UnsupportedOperationException("This test holds nothing out");
    }

    @Override
    public void close() {}
  }
}
