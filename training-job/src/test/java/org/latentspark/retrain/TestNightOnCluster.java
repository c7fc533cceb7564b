package org.latentspark.retrain;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FileUtil;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.Manifest;
import org.latentspark.prep.S3Server;
import org.latentspark.prep.StandaloneCluster;
import org.latentspark.report.ReportJob;
import org.latentspark.retrain.Registry.JudgedModel;
import org.latentspark.train.TrainProcess;

/**
 * Nights on a standalone cluster of two machines with all they read and write on an S3 server, each
 * verb in a process of its own, as a scheduler starts them; some are killed.
 */
@Tag("slow")
@Tag("chaos")
@Timeout(1800)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class TestNightOnCluster {
  private static final String WEIGHTS =
      "runs/000002/checkpoints/step-000000060/unet/diffusion_pytorch_model.safetensors";
  private static final String WEBHOOK = "hooks-T0PLANTED-B1PLANTED";
  private static final String WEBHOOK_TOKEN = "xoxb-PLANTED-2026-bearer";

  @TempDir private static Path folder;
  private static S3Server store;
  private static StandaloneCluster cluster;
  private static FileSystem files;
  private static Nights nights;

  @BeforeAll
  static void runTheFirstNight() throws Exception {
    store = S3Server.start(folder);
    cluster = StandaloneCluster.start(Files.createDirectories(folder.resolve("cluster")));
    Files.createDirectories(folder.resolve("events"));
    String root = "s3a://" + S3Server.BUCKET + "/nights";
    nights = Nights.at(root, store.configuration(), folder);
    files = nights.place("encoders").getFileSystem(store.configuration());
    nights.addPictures(0, 40);
    runToTheEnd("first", "ours");
    FileUtil.copy(
        files, nights.place("ours"), files, nights.place("whole"), false, store.configuration());
    nights.addPictures(40, 50);
  }

  @AfterAll
  static void stop() throws Exception {
    try (S3Server anyStore = store) {
      if (cluster != null) {
        cluster.close();
      }
    }
  }

  @Test
  @Order(1)
  void secondNightEncodesWhatIsNewTrainsOnAndPromotesByTheRuleWhileAnotherIsRefused()
      throws Exception {
    assertThat(nights.registry("whole").promoted()).isEqualTo("000001");
    try (TrainProcess second = start("second", RetrainJob.class, nights.arguments("whole"))) {
      second.await("lease", () -> holds("whole/models/lease.json"));
      try (TrainProcess other = start("other", RetrainJob.class, nights.arguments("whole"))) {
        assertThat(other.exitCode()).as("two at once; %s", other.log()).isEqualTo(4);
      }
      assertThat(second.exitCode()).as("exit code; %s", second.log()).isZero();
    }
    Manifest manifest =
        LatentDataset.open(nights.place("whole/dataset"), store.configuration()).manifest();
    assertThat(manifest.version()).isEqualTo(2);
    assertThat(manifest.versions().get(1).accounting().read()).as("new pairs").isEqualTo(10);
    assertThat(manifest.versions().get(1).run()).isEqualTo("second");
    Registry registry = nights.registry("whole");
    JudgedModel judged = registry.newest().orElseThrow();
    assertThat(judged.initial()).isEqualTo("000001");
    assertThat(judged.datasetVersion()).isEqualTo(2);
    assertThat(judged.run()).isEqualTo("second");
    JudgedModel first = registry.model("000001").orElseThrow();
    DecidingFigure figure = DecidingFigure.VALIDATION_LOSS;
    assertThat(judged.promoted())
        .as("%s after %s", judged, first)
        .isEqualTo(
            figure.gain(judged.measured(), first.measured())
                > DecidingFigure.margin(judged.measured(), first.measured()));
    assertThat(registry.promoted()).isEqualTo(judged.promoted() ? "000002" : "000001");
  }

  @Test
  @Order(2)
  void secondNightKilledInEachStageEndsInTheSameRegistryAndWeights() throws Exception {
    killOnce("prep", Night.Stage.PREP, () -> holds("ours/dataset/_work"));
    killOnce("train", Night.Stage.TRAIN, () -> holds("ours/models/runs/000002/checkpoints"));
    killOnce(
        "evaluate",
        Night.Stage.EVALUATE,
        () -> holds("ours/models/runs/000002/evaluation/lease.json"));
    runToTheEnd("after-kills", "ours");
    assertThat(nights.timeless("ours")).isEqualTo(nights.timeless("whole"));
    assertThat(bytes("ours/models/" + WEIGHTS)).isEqualTo(bytes("whole/models/" + WEIGHTS));
    assertThat(holds("ours/models/" + Night.FILE_NAME)).as("unfinished night").isFalse();
  }

  @Test
  @Order(3)
  void worseModelIsKeptBackAndRollbackPutsItIntoUse() throws Exception {
    String used = nights.registry("ours").promoted();
    Path ruinous = folder.resolve("ruinous.conf");
    Files.writeString(
        ruinous,
        Files.readString(folder.resolve("train.conf")).replace("peak = 3e-3", "peak = 0.3"));
    runToTheEnd("worse", "ours", "train-conf=" + ruinous, "min-new-pairs=0");
    Registry registry = nights.registry("ours");
    assertThat(registry.promoted()).isEqualTo(used);
    assertThat(registry.newest().orElseThrow().reason()).contains("is not better than");

    String models = "models=" + nights.place("ours/models");
    run("rollback-to", 0, RollbackJob.class, models, "to=000003");
    assertThat(nights.registry("ours").promoted()).isEqualTo("000003");
    run("rollback", 0, RollbackJob.class, models);
    assertThat(nights.registry("ours").promoted()).isEqualTo(used);
  }

  @Test
  @Order(4)
  void logLinesAndSparksPagesTellWhatTheyBelongTo() throws Exception {
    List<String> lines =
        Files.readAllLines(folder.resolve("process-second/log")).stream()
            .filter(line -> line.startsWith("{"))
            .toList();
    assertThat(lines)
        .isNotEmpty()
        .allSatisfy(line -> Registry.JSON.readTree(line).required("message"))
        .anySatisfy(
            line ->
                assertThat(Registry.JSON.readTree(line).required("run").asText())
                    .isEqualTo("second"));
    assertThat(everyFile())
        .filteredOn(file -> file.startsWith(folder.resolve("events")))
        .anySatisfy(
            file -> assertThat(text(file)).contains("unet: averages 1 to 12 with 2 workers"));
  }

  @Test
  @Order(5)
  void plantedSecretsAreNowhere() throws Exception {
    run("report", 0, ReportJob.class, "run=" + nights.place("ours/models/runs/000002"));
    run("no-bucket", 1, RollbackJob.class, "models=s3a://no-such-bucket/models");
    List<String> wrong = new ArrayList<>(options());
    wrong.add("-Dspark.hadoop.fs.s3a.secret.key=" + S3Server.secrets().get(1) + "X");
    // Amazon's client would try again for minutes.
    wrong.add("-Dspark.hadoop.fs.s3a.attempts.maximum=1");
    wrong.add("-Dspark.hadoop.fs.s3a.retry.limit=1");
    wrong.add("-Dspark.master=local[1]");
    try (TrainProcess refused =
        start("refused", RetrainJob.class, wrong, nights.arguments("ours"))) {
      assertThat(refused.exitCode()).as("wrong key; %s", refused.log()).isEqualTo(1);
      assertThat(refused.log()).contains("webhook was not told").contains("\tat ");
    }
    List<String> secrets = new ArrayList<>(S3Server.secrets());
    secrets.addAll(List.of(WEBHOOK, WEBHOOK_TOKEN));
    List<Path> searched = everyFile();
    assertThat(searched).anyMatch(file -> file.endsWith("report/index.html"));
    assertThat(searched).anyMatch(file -> file.endsWith("trainer_state.json"));
    assertThat(searched).anyMatch(file -> file.endsWith("stderr"));
    assertThat(searched)
        .filteredOn(file -> file.startsWith(folder.resolve("events")))
        .filteredOn(file -> !file.toString().endsWith(".inprogress"))
        .isNotEmpty()
        .allSatisfy(file -> assertThat(text(file)).contains("fs.s3a.secret.key", "(redacted)"));
    for (Path file : searched) {
      String text = text(file);
      assertThat(secrets.stream().filter(text::contains)).as("secrets in %s", file).isEmpty();
    }
  }

  /** Returns what nights left behind: logs, event logs, and all that the store holds. */
  private static List<Path> everyFile() throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(Files::isRegularFile)
          .filter(file -> !file.endsWith("s3proxy.properties"))
          .toList();
    }
  }

  private static String text(Path file) {
    try {
      return Files.readString(file, StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void runToTheEnd(String name, String night, String... overrides) throws Exception {
    run(name, 0, RetrainJob.class, nights.arguments(night, overrides));
  }

  private static void run(String name, int code, Class<?> verb, String... arguments)
      throws Exception {
    try (TrainProcess run = start(name, verb, arguments)) {
      assertThat(run.exitCode()).as("exit code of %s; %s", name, run.log()).isEqualTo(code);
    }
  }

  /** Runs our night until something is there, kills it, and sees in which stage that was. */
  private static void killOnce(String name, Night.Stage stage, BooleanSupplier there)
      throws Exception {
    try (TrainProcess run = start(name, RetrainJob.class, nights.arguments("ours"))) {
      run.await(name, there);
      run.kill();
      assertThat(run.exitCode()).as("exit code of a process killed with -9").isEqualTo(137);
    }
    cluster.awaitIdle();
    byte[] night = bytes("ours/models/" + Night.FILE_NAME);
    assertThat(Registry.JSON.readValue(night, Night.class).stage()).isEqualTo(stage);
  }

  private static TrainProcess start(String name, Class<?> verb, String... arguments)
      throws IOException {
    return start(name, verb, options(), arguments);
  }

  private static TrainProcess start(
      String name, Class<?> verb, List<String> options, String... arguments) throws IOException {
    return TrainProcess.start(
        folder.resolve("process-" + name),
        verb,
        options,
        List.of(arguments),
        Map.of(
            "LATENTSPARK_TRACE",
            "1",
            "LATENTSPARK_RUN_ID",
            name,
            "LATENTSPARK_LOG_FORMAT",
            "json",
            // Nobody listens on the port of discard.
            Notifier.WEBHOOK,
            "http://127.0.0.1:9/" + WEBHOOK,
            Notifier.TOKEN,
            WEBHOOK_TOKEN));
  }

  private static List<String> options() {
    List<String> options = new ArrayList<>(cluster.options());
    options.addAll(store.options());
    options.add("-Dspark.sql.shuffle.partitions=2");
    options.add("-Dspark.eventLog.enabled=true");
    options.add("-Dspark.eventLog.dir=" + folder.resolve("events").toUri());
    options.add("-Dlatentspark.log.level=info");
    return options;
  }

  /** Tells whether there is a file, or a folder with any. */
  private static boolean holds(String path) {
    try {
      return files.listFiles(nights.place(path), true).hasNext();
    } catch (FileNotFoundException e) {
      return false;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] bytes(String path) throws IOException {
    try (InputStream in = files.open(nights.place(path))) {
      return in.readAllBytes();
    }
  }
}
