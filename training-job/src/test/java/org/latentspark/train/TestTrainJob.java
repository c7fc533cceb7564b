package org.latentspark.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.apache.commons.io.FileUtils;
import org.apache.hadoop.conf.Configuration;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.latentspark.checkpoint.Checkpoints;
import org.latentspark.cli.Launcher;
import org.latentspark.events.EventReader;
import org.latentspark.graph.TinyUNet;
import org.latentspark.tensor.Natives;
import org.latentspark.tensor.OutputLease;

/** Trains a tiny U-Net on made-up latents through the verb, whole and killed on the way. */
@Tag("slow")
class TestTrainJob {
  private static final long SEED = 20261123;
  private static final int ROUNDS = 12;
  private static final Duration PATIENCE = Duration.ofMinutes(10);

  @TempDir private static Path folder;

  @BeforeAll
  static void trainUndisturbed() throws Exception {
    System.setProperty("spark.ui.enabled", "false");
    Natives.operationThreads(1);
    TinyDataset.write(folder.resolve("dataset"), 20, 4, SEED);
    Files.writeString(folder.resolve("unet.json"), TinyUNet.CONFIG);
    assertThat(Launcher.run(new TrainJob(), arguments("whole"))).as("exit code").isZero();
  }

  @AfterAll
  static void forgetSettings() {
    System.clearProperty("spark.ui.enabled");
  }

  @Test
  void leavesWholeCheckpointsEverySegment() throws Exception {
    Checkpoints checkpoints = checkpoints("whole");
    assertThat(checkpoints.list())
        .extracting(org.apache.hadoop.fs.Path::getName)
        .containsExactly("step-000000020", "step-000000040", "step-000000060");
    for (org.apache.hadoop.fs.Path checkpoint : checkpoints.list()) {
      assertThat(checkpoints.verifies(checkpoint)).as("%s", checkpoint).isTrue();
    }
    Path last = checkpoint("whole", 60);
    assertThat(last.resolve("scheduler/scheduler_config.json")).isNotEmptyFile();
    assertThat(last.resolve("latents.json")).isNotEmptyFile();
    JsonNode state = new ObjectMapper().readTree(last.resolve("trainer_state.json").toFile());
    assertThat(state.path("progress").path("examples").asLong()).isEqualTo(60 * 2 * 4);
    assertThat(state.path("dataset_fingerprint").asText()).hasSize(64);
    assertThat(state.path("config").asText()).contains("\"frequency\":");
  }

  @Test
  void reportsEveryRoundAndTheHeldOutLossFalls() throws Exception {
    List<JsonNode> metrics = metrics("whole");
    assertThat(metrics)
        .extracting(line -> line.get("round").asLong())
        .containsExactlyElementsOf(LongStream.rangeClosed(1, ROUNDS).boxed().toList());
    assertThat(metrics)
        .extracting(line -> line.get("step").asLong())
        .containsExactlyElementsOf(
            LongStream.rangeClosed(1, ROUNDS).map(r -> 5 * r).boxed().toList());
    List<Double> heldOut =
        metrics.stream()
            .filter(line -> line.has("validationLoss"))
            .map(line -> line.get("validationLoss").asDouble())
            .toList();
    assertThat(heldOut).as("held-out losses").hasSize(4);
    assertThat(heldOut.get(3)).as("last of %s", heldOut).isLessThan(0.9 * heldOut.get(0));
  }

  @Test
  void goesOnWithTheDataItBeganWithThoughMoreWereAppended() throws Exception {
    Path grown = folder.resolve("grown-dataset");
    TinyDataset.write(grown, 20, 4, SEED);
    FileUtils.copyDirectory(checkpoint("whole", 20).toFile(), checkpoint("grown", 20).toFile());
    TinyDataset.append(grown);
    assertThat(run("grown", "dataset=" + grown)).as("exit code").isZero();
    assertThat(checkpoint("grown", 60).resolve("unet/diffusion_pytorch_model.safetensors"))
        .hasSameBinaryContentAs(
            checkpoint("whole", 60).resolve("unet/diffusion_pytorch_model.safetensors"));
  }

  @Test
  @Tag("chaos")
  void damagedDataFilesStandInTheMetricsAndAreTold() throws Exception {
    Path damaged = folder.resolve("damaged-dataset");
    TinyDataset.write(damaged, 40, 4, SEED, 8);
    Path file = damaged.resolve("data/part-00005.parquet");
    byte[] bytes = Files.readAllBytes(file);
    Arrays.fill(bytes, 4, bytes.length / 2, (byte) 0);
    Files.write(file, bytes);
    PrintStream out = System.out;
    ByteArrayOutputStream told = new ByteArrayOutputStream();
    System.setOut(new PrintStream(told, true, StandardCharsets.UTF_8));
    try {
      assertThat(run("damaged", "dataset=" + damaged, "steps=10", "data.damaged-files=1"))
          .as("exit code")
          .isZero();
    } finally {
      System.setOut(out);
    }
    // Both workers have rows of it.
    assertThat(metrics("damaged"))
        .extracting(line -> line.path("damagedFiles").asInt())
        .containsExactly(2, 2);
    assertThat(metrics("whole")).noneMatch(line -> line.has("damagedFiles"));
    assertThat(told.toString(StandardCharsets.UTF_8))
        .containsOnlyOnce("Round 1: the workers have left out 2 damaged data files");
  }

  @Test
  void refusesToGoOnWithOtherData() throws Exception {
    Path other = folder.resolve("other-dataset");
    TinyDataset.write(other, 20, 4, SEED + 1);
    FileUtils.copyDirectory(checkpoint("whole", 20).toFile(), checkpoint("moved", 20).toFile());
    assertThat(run("moved", "dataset=" + other)).as("exit code").isEqualTo(2);
    assertThat(checkpoint("moved", 40)).doesNotExist();
  }

  @Test
  @Tag("chaos")
  void killedRunEndsWithTheParametersOfAnUndisturbedOne() throws Exception {
    Path first = checkpoint("killed", 20).resolve("checkpoint.json");
    Path second = checkpoint("killed", 40);
    Process process = startInOwnProcess("killed");
    try {
      long deadline = System.nanoTime() + PATIENCE.toNanos();
      awaitFile(first, process, deadline);
      assertThat(metrics("killed"))
          .as("figures beside the first checkpoint")
          .hasSizeGreaterThanOrEqualTo(4);
      assertThat(EventReader.read(folder.resolve("killed/events")).steps())
          .as("steps of events beside the first checkpoint")
          .contains(5L, 10L, 15L, 20L);
      // The second checkpoint is being written: its folder is there, most likely not all its files.
      awaitFile(second, process, deadline);
    } finally {
      process.destroyForcibly().waitFor();
    }
    assertThat(process.exitValue()).as("exit code of a process killed with -9").isEqualTo(137);
    assertThat(checkpoint("killed", 60).resolve("checkpoint.json")).doesNotExist();
    Object written = Files.getLastModifiedTime(first);

    assertThat(Launcher.run(new TrainJob(), arguments("killed"))).as("exit code").isZero();

    assertThat(Files.getLastModifiedTime(first)).as("first segment's time").isEqualTo(written);
    assertThat(EventReader.read(folder.resolve("killed/events")).steps())
        .as("steps of events")
        .isSorted()
        .doesNotHaveDuplicates()
        .hasSize(ROUNDS);
    assertThat(metrics("killed"))
        .extracting(line -> line.get("round").asLong())
        .containsExactlyElementsOf(LongStream.rangeClosed(1, ROUNDS).boxed().toList());
    for (String file :
        List.of(
            "unet/diffusion_pytorch_model.safetensors",
            "unet_ema/diffusion_pytorch_model.safetensors",
            "optimizer.safetensors")) {
      assertThat(checkpoint("killed", 60).resolve(file))
          .as("%s of the rerun", file)
          .hasSameBinaryContentAs(checkpoint("whole", 60).resolve(file));
    }
  }

  private static void awaitFile(Path file, Process process, long deadline) throws Exception {
    while (!Files.exists(file)) {
      assertThat(process.isAlive()).as("run to be killed is alive").isTrue();
      assertThat(System.nanoTime()).as("deadline of %s", file).isLessThan(deadline);
      Thread.sleep(1);
    }
  }

  @Test
  void finishedRunIsLeftAsItIs() throws Exception {
    Path manifest = checkpoint("whole", 60).resolve("checkpoint.json");
    Object written = Files.getLastModifiedTime(manifest);
    assertThat(Launcher.run(new TrainJob(), arguments("whole"))).as("exit code").isZero();
    assertThat(Files.getLastModifiedTime(manifest)).isEqualTo(written);
    assertThat(metrics("whole")).hasSize(ROUNDS);
  }

  @Test
  void anotherFrequencyOnTheSameOutputIsBadUsage() throws Exception {
    List<String> arguments = new ArrayList<>(List.of(arguments("whole")));
    arguments.add("averaging.frequency=10");
    assertThat(Launcher.run(new TrainJob(), arguments.toArray(String[]::new))).isEqualTo(2);
  }

  @Test
  void anotherModelOnTheSameOutputIsBadInput() throws Exception {
    List<String> arguments = new ArrayList<>(List.of(arguments("whole")));
    Path other = folder.resolve("other.json");
    Files.writeString(other, TinyUNet.CONFIG.replace("[16, 32]", "[16, 16]"));
    arguments.add("model=" + other);
    arguments.add("steps=80");
    assertThat(Launcher.run(new TrainJob(), arguments.toArray(String[]::new))).isEqualTo(3);
  }

  @Test
  void newRunBeginsWithTheWeightsOfAnother() throws Exception {
    int code =
        run("warm", "initial=" + folder.resolve("whole"), "learning-rate.peak=0", "steps=20");
    assertThat(code).as("exit code").isZero();
    String weights = "unet/diffusion_pytorch_model.safetensors";
    assertThat(checkpoint("warm", 20).resolve(weights))
        .hasSameBinaryContentAs(checkpoint("whole", 60).resolve(weights));
  }

  @Test
  void weightsToBeginWithMustFitTheModel() throws Exception {
    Path other = folder.resolve("narrow.json");
    Files.writeString(other, TinyUNet.CONFIG.replace("[16, 32]", "[16, 16]"));
    assertThat(run("unlike", "initial=" + folder.resolve("whole"), "model=" + other)).isEqualTo(3);
    assertThat(run("lost", "initial=" + folder.resolve("nowhere"))).isEqualTo(3);
    assertThat(folder.resolve("lost/checkpoints")).doesNotExist();
  }

  @Test
  void workerWithoutPairsTakesPartWithoutWeight() throws Exception {
    TinyDataset.write(folder.resolve("few-pairs"), 1, 4, SEED);
    assertThat(run("few", "dataset=" + folder.resolve("few-pairs"))).as("exit code").isZero();
    JsonNode state =
        new ObjectMapper().readTree(checkpoint("few", 60).resolve("trainer_state.json").toFile());
    assertThat(state.at("/progress/examples").asLong())
        .as("examples of the only worker that has any")
        .isEqualTo(60 * 4);
  }

  @Test
  void dataSetWithoutTrainingPairsIsBadInput() throws Exception {
    TinyDataset.write(folder.resolve("no-pairs"), 0, 4, SEED);
    assertThat(run("none", "dataset=" + folder.resolve("no-pairs"))).as("exit code").isEqualTo(3);
    assertThat(folder.resolve("none/checkpoints")).doesNotExist();
  }

  @Test
  void gpusThatAreNotThereAreBadUsage() throws Exception {
    assumeFalse(torch.cuda_is_available(), "this machine has a GPU");
    assertThat(run("no-gpu", "device=cuda")).as("exit code").isEqualTo(2);
    assertThat(folder.resolve("no-gpu/checkpoints")).doesNotExist();
  }

  @Test
  void eventsHaveEveryRoundOnce() throws Exception {
    EventReader events = EventReader.read(folder.resolve("whole/events"));
    List<Long> steps = metrics("whole").stream().map(line -> line.get("step").asLong()).toList();
    assertThat(events.steps()).containsExactlyElementsOf(steps);
    assertThat(events.scalars().get("loss/validation")).hasSize(4);
    assertThat(events.histograms())
        .containsKeys("weights/conv_in", "weights/attention", "gradients/up_blocks")
        .allSatisfy((tag, byStep) -> assertThat(byStep).containsOnlyKeys(20L, 40L, 60L));
    assertThat(events.scalars().get("loss/train").get(60L))
        .isEqualTo((double) (float) metrics("whole").get(ROUNDS - 1).get("loss").asDouble());
  }

  @Test
  void moreWorkersThanSlotsAreBadUsage() throws Exception {
    assertThat(run("crowd", "workers=3")).as("exit code").isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(strings = {"spark.speculation", "spark.dynamicAllocation.enabled"})
  void settingsThatBreakBarriersAreBadUsage(String key) throws Exception {
    System.setProperty(key, "true");
    try {
      assertThat(run("unfit")).as("exit code").isEqualTo(2);
    } finally {
      System.clearProperty(key);
    }
  }

  @Test
  void outputOfAnotherRunIsRefusedAndLeftAlone() throws Exception {
    org.apache.hadoop.fs.Path output =
        new org.apache.hadoop.fs.Path(folder.resolve("held").toUri());
    try (OutputLease lease = OutputLease.take(output, new Configuration(), "train")) {
      assertThat(run("held")).as("exit code").isEqualTo(4);
      try (Stream<Path> files = Files.list(folder.resolve("held"))) {
        assertThat(files).containsExactly(folder.resolve("held/lease.json"));
      }
    }
  }

  private static int run(String output, String... overrides) {
    return Launcher.run(
        new TrainJob(),
        Stream.concat(Stream.of(arguments(output)), Stream.of(overrides)).toArray(String[]::new));
  }

  private static String[] arguments(String output) {
    return Stream.of(
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
            "ema.decay=0.9")
        .toArray(String[]::new);
  }

  private static Process startInOwnProcess(String output) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.add("-Dspark.ui.enabled=false");
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(TrainJob.class.getName());
    command.addAll(List.of(arguments(output)));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(folder.resolve(output + ".log").toFile())
        .start();
  }

  private static Checkpoints checkpoints(String output) throws IOException {
    return Checkpoints.of(
        new org.apache.hadoop.fs.Path(folder.resolve(output).toUri()), new Configuration());
  }

  private static Path checkpoint(String output, int step) {
    return folder.resolve(output).resolve("checkpoints/step-%09d".formatted(step));
  }

  private static List<JsonNode> metrics(String output) throws IOException {
    List<JsonNode> metrics = new ArrayList<>();
    for (String line : Files.readAllLines(folder.resolve(output).resolve("metrics.jsonl"))) {
      metrics.add(new ObjectMapper().readTree(line));
    }
    return metrics;
  }
}
