package org.latentspark.train;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.io.FileUtils;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.Launcher;
import org.latentspark.graph.TinyUNet;
import org.latentspark.tensor.Natives;

/** Trains a tiny U-Net, through the verb, on latents of three shapes. */
@Tag("slow")
class TestBucketTraining {
  private static final long SEED = 20261123;

  @TempDir private static Path folder;

  @BeforeAll
  static void trainUndisturbed() throws Exception {
    System.setProperty("spark.ui.enabled", "false");
    Natives.operationThreads(1);
    TinyDataset.writeBuckets(folder.resolve("dataset"), 26, 6, SEED, 3);
    Files.writeString(folder.resolve("unet.json"), TinyUNet.CONFIG);
    assertThat(run("whole")).as("exit code").isZero();
  }

  @AfterAll
  static void forgetSettings() {
    System.clearProperty("spark.ui.enabled");
  }

  @Test
  void theHeldOutLossFalls() throws Exception {
    List<Double> losses = new ArrayList<>();
    for (String line : Files.readAllLines(folder.resolve("whole/metrics.jsonl"))) {
      JsonNode metrics = new ObjectMapper().readTree(line);
      if (metrics.has("validationLoss")) {
        losses.add(metrics.get("validationLoss").asDouble());
      }
    }
    assertThat(losses).hasSize(4);
    assertThat(losses.get(3)).as("last of %s", losses).isLessThan(0.9 * losses.get(0));
  }

  @Test
  void aRunThatGoesOnEndsAsOneThatNeverStopped() throws Exception {
    FileUtils.copyDirectory(checkpoint("whole", 20).toFile(), checkpoint("resumed", 20).toFile());
    assertThat(run("resumed")).as("exit code").isZero();
    for (String file :
        List.of("unet/diffusion_pytorch_model.safetensors", "optimizer.safetensors")) {
      assertThat(checkpoint("resumed", 60).resolve(file))
          .hasSameBinaryContentAs(checkpoint("whole", 60).resolve(file));
    }
  }

  private static int run(String output) {
    return Launcher.run(
        new TrainJob(),
        new String[] {
          "dataset=" + folder.resolve("dataset"),
          "model=" + folder.resolve("unet.json"),
          "output=" + folder.resolve(output),
          "workers=2",
          "batch-size=4",
          "steps=60",
          "precision=fp32",
          "averaging.frequency=5",
          "checkpoint.every-rounds=4",
          "validation.every-rounds=4",
          "learning-rate.peak=3e-3",
          "learning-rate.warmup-steps=5",
          "ema.decay=0.9"
        });
  }

  private static Path checkpoint(String output, int step) {
    return folder.resolve(output).resolve("checkpoints/step-%09d".formatted(step));
  }
}
