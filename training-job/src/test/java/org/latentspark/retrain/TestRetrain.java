package org.latentspark.retrain;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerApplicationStart;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.Launcher;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.Manifest;
import org.latentspark.retrain.Registry.JudgedModel;
import org.latentspark.tensor.Natives;
import org.latentspark.tensor.OutputLease;

/** Nights over a growing folder of pictures, one after the other, some of them killed. */
@Tag("slow")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class TestRetrain {
  private static final String WEIGHTS = "unet/diffusion_pytorch_model.safetensors";

  @TempDir private static Path folder;
  private static Nights nights;

  @BeforeAll
  static void runTheFirstNight() throws Exception {
    System.setProperty("spark.ui.enabled", "false");
    System.setProperty("spark.master", "local[2]");
    Natives.operationThreads(1);
    nights = Nights.in(folder);
    nights.addPictures(0, 40);
    System.setProperty("spark.extraListeners", Applications.class.getName());
    assertThat(nights.run("whole")).as("exit code of the first night").isZero();
  }

  @AfterAll
  static void forgetSettings() {
    System.clearProperty("spark.extraListeners");
    System.clearProperty("spark.ui.enabled");
    System.clearProperty("spark.master");
  }

  @Test
  @Order(1)
  void firstNightPromotesItsModel() throws Exception {
    Registry registry = nights.registry("whole");
    assertThat(registry.promoted()).isEqualTo("000001");
    assertThat(registry.heldOutVersion()).isEqualTo(1);
    JudgedModel model = registry.inUse().orElseThrow();
    assertThat(model.checkpoint()).isEqualTo("runs/000001/checkpoints/step-000000060");
    assertThat(nights.models("whole").resolve(model.checkpoint()).resolve(WEIGHTS))
        .isNotEmptyFile();
    assertThat(model.measured().value()).isBetween(model.measured().low(), model.measured().high());
    assertThat(nights.models("whole").resolve(Night.FILE_NAME)).doesNotExist();
  }

  @Test
  @Order(1)
  void nightIsOneSparkApplication() {
    // Where Spark runs the driver in the cluster, the end of the first one would be the end of all.
    assertThat(Applications.STARTED).hasValue(1);
  }

  @Test
  @Order(2)
  @Tag("chaos")
  void nightKilledInEachStageEndsInTheSameRegistry() throws Exception {
    Path models = nights.models("killed");
    Path run = models.resolve("runs/000001");
    nights.killOnce("killed", "in prep", () -> hasDataFile(models.resolveSibling("dataset")));
    assertThat(stage(models)).isEqualTo(Night.Stage.PREP);
    nights.killOnce(
        "killed", "in train", () -> Files.exists(run.resolve("checkpoints/step-000000040")));
    assertThat(stage(models)).isEqualTo(Night.Stage.TRAIN);
    nights.killOnce(
        "killed", "in evaluate", () -> Files.exists(run.resolve("evaluation/lease.json")));
    assertThat(stage(models)).isEqualTo(Night.Stage.EVALUATE);

    assertThat(nights.run("killed")).as("exit code").isZero();

    assertThat(nights.timeless("killed")).isEqualTo(nights.timeless("whole"));
    assertThat(run.resolve("checkpoints/step-000000060").resolve(WEIGHTS))
        .hasSameBinaryContentAs(
            nights
                .models("whole")
                .resolve("runs/000001/checkpoints/step-000000060")
                .resolve(WEIGHTS));
  }

  @Test
  @Order(3)
  void nightWithoutNewPairsChangesNothing() throws Exception {
    Path registry = nights.models("whole").resolve(Registry.FILE_NAME);
    byte[] before = Files.readAllBytes(registry);
    assertThat(nights.run("whole")).as("exit code").isZero();
    assertThat(registry).hasBinaryContent(before);
    assertThat(nights.models("whole").resolve("runs/000002")).doesNotExist();
  }

  @Test
  @Order(4)
  void nextNightEncodesWhatIsNewAndTrainsOnFromThePromotedModel() throws Exception {
    nights.addPictures(40, 50);
    assertThat(nights.run("whole", "notify.command=cat > " + folder.resolve("told.json")))
        .as("exit code")
        .isZero();
    Manifest manifest = dataset("whole").manifest();
    assertThat(manifest.version()).isEqualTo(2);
    Registry registry = nights.registry("whole");
    JudgedModel second = registry.newest().orElseThrow();
    assertThat(second.id()).isEqualTo("000002");
    assertThat(second.initial()).isEqualTo("000001");
    assertThat(second.datasetVersion()).isEqualTo(2);
    assertThat(registry.heldOutVersion()).isEqualTo(1);
    JudgedModel first = registry.model("000001").orElseThrow();
    boolean better =
        first.measured().value() - second.measured().value()
            > Math.max(width(first), width(second));
    assertThat(second.promoted()).as("%s after %s", second, first).isEqualTo(better);
    assertThat(registry.promoted()).isEqualTo(better ? "000002" : "000001");
    Outcome told = Registry.JSON.readValue(folder.resolve("told.json").toFile(), Outcome.class);
    assertThat(told.outcome()).isEqualTo(better ? "promoted" : "kept");
    assertThat(told.promoted()).isEqualTo(registry.promoted());
  }

  @Test
  @Order(5)
  void worseModelIsKeptBackAndOlderRunsGo() throws Exception {
    String used = nights.registry("whole").promoted();
    Path ruinous = folder.resolve("ruinous.conf");
    Files.writeString(
        ruinous,
        Files.readString(folder.resolve("train.conf")).replace("peak = 3e-3", "peak = 0.3"));
    for (int night = 3; night <= 4; night++) {
      assertThat(nights.run("whole", "train-conf=" + ruinous, "min-new-pairs=0", "keep=1"))
          .as("exit code")
          .isZero();
    }
    Registry registry = nights.registry("whole");
    assertThat(registry.promoted()).isEqualTo(used);
    assertThat(registry.newest().orElseThrow().promoted()).isFalse();
    assertThat(registry.newest().orElseThrow().reason()).contains("is not better than");
    List<String> stay = new ArrayList<>(List.of("000004", used));
    registry.before().ifPresent(stay::add);
    try (Stream<Path> runs = Files.list(nights.models("whole").resolve("runs"))) {
      assertThat(runs.map(path -> path.getFileName().toString()))
          .containsExactlyInAnyOrderElementsOf(stay);
    }
  }

  @Test
  @Order(6)
  void rollbackRestoresTheOneBeforeOrTheOneNamed() throws Exception {
    String used = nights.registry("whole").promoted();
    assertThat(rollback("to=000004")).as("exit code").isZero();
    assertThat(nights.registry("whole").promoted()).isEqualTo("000004");
    assertThat(rollback()).as("exit code").isZero();
    Registry registry = nights.registry("whole");
    assertThat(registry.promoted()).isEqualTo(used);
    assertThat(registry.history().get(registry.history().size() - 1).insteadOf())
        .isEqualTo("000004");
    assertThat(rollback("to=000077")).as("unknown model").isEqualTo(2);
    // Its run was removed to keep one.
    assertThat(rollback("to=000003")).as("model without its run").isEqualTo(3);
    assertThat(nights.registry("whole").promoted()).isEqualTo(used);
  }

  @Test
  @Order(7)
  @Tag("chaos")
  void secondNightAtTheSameTimeIsRefused() throws Exception {
    org.apache.hadoop.fs.Path models =
        new org.apache.hadoop.fs.Path(nights.models("whole").toUri());
    try (OutputLease lease = OutputLease.take(models, new Configuration(), "retrain")) {
      assertThat(nights.run("whole", "min-new-pairs=0")).as("exit code").isEqualTo(4);
      assertThat(rollback()).as("exit code").isEqualTo(4);
    }
    assertThat(nights.models("whole").resolve(Night.FILE_NAME)).doesNotExist();
  }

  @Test
  @Order(8)
  void badConfigurationOfAnyStageIsRefusedBeforeWork() throws Exception {
    Path wrong = folder.resolve("wrong.conf");
    Files.writeString(wrong, "stepz = 10");
    assertThat(nights.run("never", "evaluate-conf=" + wrong)).as("exit code").isEqualTo(2);
    assertThat(nights.run("never", "train-conf=" + wrong)).as("exit code").isEqualTo(2);
    assertThat(nights.run("never", "prep-conf=" + folder.resolve("none"))).isEqualTo(2);
    assertThat(nights.models("never")).doesNotExist();
  }

  /** Counts Spark's applications in this process. */
  public static final class Applications extends SparkListener {
    private static final AtomicInteger STARTED = new AtomicInteger();

    @Override
    public void onApplicationStart(SparkListenerApplicationStart start) {
      STARTED.incrementAndGet();
    }
  }

  private static int rollback(String... overrides) {
    return Launcher.run(
        new RollbackJob(),
        Stream.concat(Stream.of("models=" + nights.models("whole")), Stream.of(overrides))
            .toArray(String[]::new));
  }

  private static double width(JudgedModel model) {
    return model.measured().high() - model.measured().low();
  }

  private static Night.Stage stage(Path models) throws IOException {
    return Registry.JSON.readValue(models.resolve(Night.FILE_NAME).toFile(), Night.class).stage();
  }

  private static boolean hasDataFile(Path dataset) {
    if (!Files.isDirectory(dataset.resolve("data"))) {
      return false;
    }
    try (Stream<Path> files = Files.list(dataset.resolve("data"))) {
      return files.findAny().isPresent();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static LatentDataset dataset(String night) throws IOException {
    return LatentDataset.open(
        new org.apache.hadoop.fs.Path(nights.models(night).resolveSibling("dataset").toUri()),
        new Configuration());
  }
}
