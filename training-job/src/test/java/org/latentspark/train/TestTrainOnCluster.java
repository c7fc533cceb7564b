package org.latentspark.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.Launcher;
import org.latentspark.graph.TinyUNet;
import org.latentspark.prep.StandaloneCluster;
import org.latentspark.tensor.Natives;

/** Kills, stops and starves parts of a training on a standalone cluster while it runs. */
@Tag("chaos")
@Tag("slow")
@Timeout(1800)
class TestTrainOnCluster {
  private static final long SEED = 20261123;
  private static final int STEPS = 480;
  private static final String LAST = "checkpoints/step-%09d".formatted(STEPS);

  @TempDir private static Path folder;
  private static StandaloneCluster cluster;
  private static FaultyFileSystem.Faults disk;

  @BeforeAll
  static void trainUndisturbed() throws Exception {
    System.setProperty("spark.ui.enabled", "false");
    Natives.operationThreads(1);
    TinyDataset.write(folder.resolve("dataset"), 400, 4, SEED);
    Files.writeString(folder.resolve("unet.json"), TinyUNet.CONFIG);
    disk = new FaultyFileSystem.Faults(folder.resolve("faults"));
    cluster = StandaloneCluster.start(Files.createDirectories(folder.resolve("cluster")));
    List<String> arguments = arguments(folder.resolve("whole").toString());
    assertThat(Launcher.run(new TrainJob(), arguments.toArray(String[]::new))).isZero();
  }

  @AfterAll
  static void stop() {
    System.clearProperty("spark.ui.enabled");
    if (cluster != null) {
      cluster.close();
    }
  }

  @BeforeEach
  void awaitIdle() throws Exception {
    cluster.awaitIdle();
  }

  @Test
  void executorsThatDieAtAnyPlaceChangeNoBit() throws Exception {
    disk.hold("step-000000060/unet/");
    try (TrainProcess run = start("killed")) {
      run.await("writer of the first checkpoint", disk::holds);
      TrainProcess.kill(disk.holder());
      disk.release();
      awaitFailures(run, 1);

      TrainProcess.kill(awaitExecutor(run, "Replica.step"));
      awaitFailures(run, 2);

      awaitExecutor(run, "Replica.step");
      TrainProcess.signal("STOP", cluster.executors().get(0).pid());
      ProcessHandle waiting = cluster.executors().get(1);
      run.await("exchange", () -> TrainProcess.stacks(waiting).contains("RingSocket.await"));
      TrainProcess.kill(waiting);
      TrainProcess.signal("CONT", cluster.executors().get(0).pid());
      awaitFailures(run, 3);

      awaitExecutor(run, "Replica.step");
      cluster.executors().forEach(TrainProcess::kill);
      awaitFailures(run, 4);
      assertThat(run.exitCode()).as("exit code; %s", run.log()).isZero();
      assertThat(run.log()).contains("ExecutorLostFailure").doesNotContain("of 2 workers");
    }
    assertSameAsUndisturbed("killed");
  }

  @Test
  void hungExecutorIsReplacedAndChangesNoBit() throws Exception {
    try (TrainProcess run = start("hung", "averaging.deadline=15s")) {
      TrainProcess.signal("STOP", awaitExecutor(run, "Replica.step").pid());
      assertThat(run.exitCode()).as("exit code; %s", run.log()).isZero();
      assertThat(run.log())
          .containsPattern("failed \\(1 of 9 attempts\\): .*Timed out")
          .containsPattern("Executor \\d does not end its task: it is replaced");
    }
    assertSameAsUndisturbed("hung");
  }

  @Test
  void driverThatDiesAndADamagedNewestCheckpointChangeNoBit() throws Exception {
    Path second = folder.resolve("driver/checkpoints/step-000000120");
    disk.hold("step-000000180/unet/");
    try (TrainProcess run = start("driver")) {
      run.await("writer of the third checkpoint", disk::holds);
      TrainProcess.kill(ProcessHandle.of(run.pid()).orElseThrow());
    }
    // The writer would go on once the disk lets it, until it learns that its driver is dead.
    cluster.executors().forEach(TrainProcess::kill);
    disk.release();
    cluster.awaitIdle();
    assertThat(second.resolve("checkpoint.json")).isNotEmptyFile();
    Path weights = second.resolve("unet/diffusion_pytorch_model.safetensors");
    byte[] bytes = Files.readAllBytes(weights);
    bytes[bytes.length / 2] ^= 1;
    Files.write(weights, bytes);
    try (TrainProcess rerun = start("driver")) {
      assertThat(rerun.exitCode()).as("exit code; %s", rerun.log()).isZero();
      assertThat(rerun.log())
          .containsPattern("Passing over .*step-000000120: it is incomplete or damaged")
          .contains("Going on from step-000000060");
    }
    assertSameAsUndisturbed("driver");
  }

  @Test
  void fullDiskStopsTheRunAndCostsNoBitOnceThereIsRoom() throws Exception {
    disk.fill("step-000000120/optimizer");
    try (TrainProcess run = start("full", "recovery.attempts=2")) {
      assertThat(run.exitCode()).as("exit code; %s", run.log()).isEqualTo(1);
      assertThat(run.log())
          .containsPattern("failed \\(1 of 2 attempts\\): .*No space left on device")
          .containsPattern("failed \\(2 of 2 attempts\\): .*No space left on device");
    }
    assertThat(folder.resolve("full/checkpoints/step-000000060/checkpoint.json")).exists();
    assertThat(folder.resolve("full/checkpoints/step-000000120/checkpoint.json")).doesNotExist();
    disk.makeRoom();
    cluster.awaitIdle();
    try (TrainProcess rerun = start("full")) {
      assertThat(rerun.exitCode()).as("exit code; %s", rerun.log()).isZero();
    }
    assertSameAsUndisturbed("full");
  }

  @Test
  void pairThatGivesNanCostsItsRoundAndIsTold() throws Exception {
    TinyDataset.spoil(folder.resolve("dataset"), folder.resolve("spoiled"), 100, SEED);
    try (TrainProcess run = start("spoiled-run", "dataset=" + folder.resolve("spoiled"))) {
      assertThat(run.exitCode()).as("exit code; %s", run.log()).isZero();
      assertThat(run.log()).containsPattern("Round \\d+ gave NaN .* discarded and made anew");
    }
    assertThat(Files.readString(folder.resolve("spoiled-run/metrics.jsonl")))
        .contains("\"discarded\":1")
        .doesNotContain("NaN");
  }

  @Test
  void runGoesOnWithFewerWorkersAndWithAllOnceAMachineIsBack() throws Exception {
    try (TrainProcess run = start("fewer", "recovery.patience=0s", "steps=600000")) {
      awaitExecutor(run, "Replica.step");
      cluster.loseMachine();
      run.await("one worker", () -> run.log().contains("Going on with 1 of 2 workers"));
      cluster.addMachine();
      run.await("two workers", () -> run.log().contains("Going on with 2 of 2 workers"));
      TrainProcess.signal("TERM", run.pid());
      assertThat(run.exitCode()).as("exit code; %s", run.log()).isEqualTo(128 + 15);
    }
    assertThat(folder.resolve("fewer/lease.json")).as("lease").doesNotExist();
  }

  @Test
  void pathsRelativeToTheDriverReachExecutorsInOtherFolders() throws Exception {
    try (TrainProcess run =
        start(
            "relative",
            "dataset=../dataset",
            "output=../relative",
            "steps=60",
            "recovery.attempts=1")) {
      assertThat(run.exitCode()).as("exit code; %s", run.log()).isZero();
    }
    assertThat(folder.resolve("relative/checkpoints/step-000000060/checkpoint.json")).exists();
  }

  /** Waits until both executors train and one is seen in a method; returns that one. */
  private static ProcessHandle awaitExecutor(TrainProcess run, String method) throws Exception {
    List<ProcessHandle> found = new ArrayList<>();
    run.await(
        "executor in " + method,
        () -> {
          found.clear();
          List<ProcessHandle> executors = cluster.executors();
          List<String> stacks = executors.stream().map(TrainProcess::stacks).toList();
          for (int index = 0; index < stacks.size(); index++) {
            if (stacks.get(index).contains(method)) {
              found.add(executors.get(index));
            }
          }
          return !found.isEmpty()
              && stacks.size() == 2
              && stacks.stream().allMatch(stack -> stack.contains("AveragingWorker.train"));
        });
    return found.get(0);
  }

  private static void awaitFailures(TrainProcess run, int count) throws Exception {
    run.await(
        count + " failed segments",
        () -> run.log().split("segment after average", -1).length > count);
  }

  private static void assertSameAsUndisturbed(String output) {
    for (String name :
        List.of(
            "unet/diffusion_pytorch_model.safetensors",
            "unet_ema/diffusion_pytorch_model.safetensors",
            "optimizer.safetensors")) {
      assertThat(folder.resolve(output).resolve(LAST).resolve(name))
          .as("%s of %s", name, output)
          .hasSameBinaryContentAs(folder.resolve("whole").resolve(LAST).resolve(name));
    }
  }

  private static TrainProcess start(String output, String... overrides) throws Exception {
    List<String> options = new ArrayList<>(cluster.options());
    options.addAll(disk.options());
    return TrainProcess.start(
        folder.resolve("process-" + output),
        options,
        Stream.concat(arguments(folder.resolve(output).toString()).stream(), Stream.of(overrides))
            .toList());
  }

  private static List<String> arguments(String output) {
    return List.of(
        "dataset=" + folder.resolve("dataset"),
        "model=" + folder.resolve("unet.json"),
        "output=" + output,
        "workers=2",
        "batch-size=2",
        "steps=" + STEPS,
        "precision=fp32",
        "averaging.frequency=10",
        "checkpoint.every-rounds=6",
        "validation.every-rounds=24",
        "recovery.attempts=9",
        "ema.decay=0.9");
  }
}
