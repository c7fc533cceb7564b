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

/** Kills and stops the executors and the driver of a training while it runs. */
@Tag("chaos")
@Tag("slow")
class TestRecovery {
  private static final long SEED = 20261123;
  private static final String CLUSTER = "local-cluster[2,1,1024]";

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
  void executorsKilledInStepsAndWhileWritingChangeNoBit() throws Exception {
    try (TrainProcess run = start("killed", CLUSTER)) {
      run.await("first report", () -> Files.exists(file("killed", "metrics.jsonl")));
      run.awaitExecutors(2).get(1).destroyForcibly();
      Path second = file("killed", "checkpoints/step-000000024");
      run.await("second checkpoint's folder", () -> Files.exists(second));
      run.awaitExecutors(2).get(0).destroyForcibly();
      run.await("second checkpoint", () -> Files.exists(second.resolve("checkpoint.json")));
      run.awaitExecutors(2).forEach(ProcessHandle::destroyForcibly);
      assertThat(run.exitCode()).as("exit code; %s", run.log()).isZero();
      assertThat(run.log())
          .containsPattern("segment after average \\d+ failed \\(1 of 5 .*: ExecutorLostFailure")
          .doesNotContain("of 2 workers");
    }
    assertSameAsUndisturbed("killed");
  }

  @Test
  void hungExecutorIsReplacedAndChangesNoBit() throws Exception {
    try (TrainProcess run = start("hung", CLUSTER, "averaging.deadline=15s")) {
      run.await("first report", () -> Files.exists(file("hung", "metrics.jsonl")));
      TrainProcess.signal("STOP", run.awaitExecutors(2).get(0).pid());
      assertThat(run.exitCode()).as("exit code; %s", run.log()).isZero();
      assertThat(run.log())
          .containsPattern("failed \\(1 of 5 attempts\\): .*Timed out")
          .containsPattern("Executor \\d does not end its task: it is replaced");
    }
    assertSameAsUndisturbed("hung");
  }

  @Test
  void runGoesOnWithFewerWorkersAndWithAllOnceTheyAreBack() throws Exception {
    try (TrainProcess run = start("fewer", CLUSTER, "recovery.patience=0s", "steps=100000")) {
      run.await("first report", () -> Files.exists(file("fewer", "metrics.jsonl")));
      run.awaitExecutors(2).get(0).destroyForcibly();
      run.await("one worker", () -> run.log().contains("Going on with 1 of 2 workers"));
      run.await("two workers", () -> run.log().contains("Going on with 2 of 2 workers"));
      TrainProcess.signal("TERM", run.pid());
      assertThat(run.exitCode()).as("exit code; %s", run.log()).isEqualTo(128 + 15);
    }
    assertThat(file("fewer", "lease.json")).as("lease").doesNotExist();
  }

  @Test
  void terminatedDriverEndsAtAStepAndTheNextRunGoesOn() throws Exception {
    try (TrainProcess run = start("stopped", "local[2]")) {
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

  private static TrainProcess start(String output, String master, String... overrides)
      throws Exception {
    Path own = Files.createDirectories(folder.resolve("process-" + output));
    return TrainProcess.start(
        own, master, Stream.concat(arguments(output).stream(), Stream.of(overrides)).toList());
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
