package org.latentspark.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.Launcher;
import org.latentspark.graph.TinyUNet;
import org.latentspark.tensor.Natives;

/** Ends the driver of a training while it runs. */
@Tag("chaos")
@Tag("slow")
class TestRecovery {
  private static final long SEED = 20261123;

  @TempDir private static Path folder;

  @BeforeAll
  static void trainUndisturbed() throws Exception {
    System.setProperty("spark.ui.enabled", "false");
    Natives.operationThreads(1);
    TinyDataset.write(folder.resolve("dataset"), 20, 4, SEED);
    Files.writeString(folder.resolve("unet.json"), TinyUNet.CONFIG);
    assertThat(Launcher.run(new TrainJob(), arguments("whole").toArray(String[]::new))).isZero();
  }

  @AfterAll
  static void forgetSettings() {
    System.clearProperty("spark.ui.enabled");
  }

  @Test
  void terminatedDriverEndsAtAStepAndTheNextRunGoesOn() throws Exception {
    try (TrainProcess run = start("stopped")) {
      Path first = file("stopped", "checkpoints/step-000000012/checkpoint.json");
      run.await("first checkpoint", () -> Files.exists(first));
      TrainProcess.signal("TERM", run.pid());
      assertThat(run.exitCode()).as("exit code; %s", run.log()).isEqualTo(128 + 15);
      assertThat(run.log()).contains("Told to stop").doesNotContain("SIGSEGV", "SIGABRT");
    }
    assertThat(file("stopped", "checkpoints/step-000000048")).doesNotExist();
    assertThat(file("stopped", "lease.json")).as("lease").doesNotExist();
    try (Stream<Path> files = Files.list(folder.resolve("process-stopped"))) {
      assertThat(files).as("crash reports").noneMatch(file -> file.toString().contains("hs_err"));
    }
    assertThat(Launcher.run(new TrainJob(), arguments("stopped").toArray(String[]::new))).isZero();
    assertSameAsUndisturbed("stopped");
  }

  private static void assertSameAsUndisturbed(String output) {
    for (String name :
        List.of(
            "unet/diffusion_pytorch_model.safetensors",
            "unet_ema/diffusion_pytorch_model.safetensors",
            "optimizer.safetensors")) {
      assertThat(file(output, "checkpoints/step-000000048/" + name))
          .as("%s of %s", name, output)
          .hasSameBinaryContentAs(file("whole", "checkpoints/step-000000048/" + name));
    }
  }

  private static Path file(String output, String name) {
    return folder.resolve(output).resolve(name);
  }

  private static TrainProcess start(String output) throws Exception {
    return TrainProcess.start(
        folder.resolve("process-" + output), List.of("-Dspark.master=local[2]"), arguments(output));
  }

  private static List<String> arguments(String output) {
    return List.of(
        "dataset=" + folder.resolve("dataset"),
        "model=" + folder.resolve("unet.json"),
        "output=" + folder.resolve(output),
        "workers=2",
        "batch-size=2",
        "steps=48",
        "precision=fp32",
        "averaging.frequency=2",
        "checkpoint.every-rounds=6",
        "validation.every-rounds=24",
        "ema.decay=0.9");
  }
}
