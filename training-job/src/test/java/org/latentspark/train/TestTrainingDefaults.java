package org.latentspark.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.latentspark.cli.Launcher;
import org.latentspark.cli.Settings;
import org.latentspark.cli.UsageException;
import org.latentspark.cli.Verb;
import org.latentspark.diffusion.BetaSchedule;
import org.latentspark.diffusion.Betas;
import org.latentspark.diffusion.PredictionType;
import org.latentspark.diffusion.SchedulerConfig;
import org.latentspark.diffusion.TimestepSpacing;
import org.latentspark.graph.TinyUNet;

/** Pins the defaults of train, train-vae and train-clip, and what they refuse. */
class TestTrainingDefaults {
  private static final Map<String, Object> SHARED =
      Map.ofEntries(
          Map.entry("output", ""),
          Map.entry("model", ""),
          Map.entry("initial", ""),
          Map.entry("seed", 2026),
          Map.entry("workers", 2),
          Map.entry("device", "cpu"),
          Map.entry("threads", 1),
          Map.entry("precision", "auto"),
          Map.entry("batch-size", 16),
          Map.entry("accumulate", 1),
          Map.entry("steps", 1000),
          Map.entry("averaging.frequency", 10),
          Map.entry("averaging.deadline", "5m"),
          Map.entry("averaging.outer", "plain"),
          Map.entry("averaging.nesterov.learning-rate", 0.7),
          Map.entry("averaging.nesterov.momentum", 0.9),
          Map.entry("averaging.wire", "fp32"),
          Map.entry("averaging.overlap-steps", 0),
          Map.entry("averaging.vector-folder", ""),
          Map.entry("learning-rate.peak", 1e-3),
          Map.entry("learning-rate.warmup-steps", 100),
          Map.entry("learning-rate.hold-share", 0.3),
          Map.entry("learning-rate.final-share", 0.03),
          Map.entry("optimizer.beta1", 0.9),
          Map.entry("optimizer.beta2", 0.999),
          Map.entry("optimizer.epsilon", 1e-8),
          Map.entry("optimizer.weight-decay", 0.01),
          Map.entry("optimizer.decay", "all"),
          Map.entry("optimizer.clip-norm", 1),
          Map.entry("ema.decay", 0.999),
          Map.entry("validation.every-rounds", 10),
          Map.entry("recovery.attempts", 5),
          Map.entry("recovery.patience", "2m"),
          Map.entry("checkpoint.every-rounds", 25),
          Map.entry("checkpoint.keep", 5),
          Map.entry("checkpoint.milestone-steps", 0),
          Map.entry("checkpoint.writing", "background"));

  private static final Map<String, Object> PICTURES =
      Map.of(
          "data.metadata",
          List.of(),
          "data.images",
          "",
          "data.size",
          64,
          "data.validation-share",
          0.1);

  @TempDir private Path folder;

  @Test
  void trainsDefaults() {
    assertDefaults(
        new TrainJob(),
        SHARED,
        Map.ofEntries(
            Map.entry("dataset", ""),
            Map.entry("encoders", ""),
            Map.entry("caption-dropout", 0.1),
            Map.entry("activations", "keep"),
            Map.entry("data.buffer", "2 GiB"),
            Map.entry("data.damaged-files", 3),
            Map.entry("noise.schedule", "scaled-linear"),
            Map.entry("noise.beta-start", 0.00085),
            Map.entry("noise.beta-end", 0.012),
            Map.entry("noise.timesteps", 1000),
            Map.entry("noise.trained-betas", List.of()),
            Map.entry("noise.rescale-zero-snr", false),
            Map.entry("noise.prediction-type", "epsilon"),
            Map.entry("noise.offset", 0),
            Map.entry("noise.input-perturbation", 0),
            Map.entry("loss.min-snr-gamma", 0),
            Map.entry("samples.prompts", List.of()),
            Map.entry("samples.steps", 25),
            Map.entry("samples.guidance-scale", 3),
            Map.entry("samples.seed", 2026)));
  }

  @Test
  void trainVaesDefaults() {
    assertDefaults(
        new TrainVaeJob(),
        SHARED,
        PICTURES,
        Map.of("loss.l1", 0.5, "loss.mse", 1, "loss.chroma", 1.5, "loss.kl", 1e-5));
  }

  @Test
  void trainClipsDefaults() {
    assertDefaults(
        new TrainClipJob(),
        SHARED,
        PICTURES,
        Map.of(
            "tokenizer.vocabulary-size", 2000,
            "augmentation.keyword-dropout", 0.3,
            "augmentation.scale", 0.15,
            "augmentation.shift", 0.19,
            "augmentation.brightness", 0.1));
  }

  @Test
  void everyKeyIsRead() throws Exception {
    assertAllRead(new TrainJob(), List.of("dataset=d", "output=o", "model=" + unet()));
    List<String> pictures = List.of("data.metadata=m", "data.images=i", "output=o");
    assertAllRead(new TrainVaeJob(), with(pictures, "model=" + shipped("vae-starter.json")));
    assertAllRead(new TrainClipJob(), with(pictures, "model=" + shipped("clip-starter.json")));
  }

  @Test
  void shippedConfigurationsAreAccepted() throws Exception {
    read(
        new TrainJob(),
        shipped("quickstart/train.conf"),
        List.of("dataset=d", "output=o", "model=" + shipped("quickstart/unet.json")));
    read(
        new TrainVaeJob(),
        shipped("train-vae-starter.conf"),
        List.of("output=o", "model=" + shipped("vae-starter.json")));
    read(
        new TrainClipJob(),
        shipped("train-clip-starter.conf"),
        List.of("output=o", "model=" + shipped("clip-starter.json")));
  }

  @Test
  void checkpointsCarryTheConfiguredScheduler() throws Exception {
    List<String> plain = List.of("dataset=d", "output=o", "model=" + unet());
    assertThat(read(new TrainJob(), null, plain).scheduler())
        .isEqualTo(SchedulerConfig.STABLE_DIFFUSION);
    List<String> rescaled = new ArrayList<>(plain);
    rescaled.addAll(
        List.of(
            "noise.schedule=linear",
            "noise.beta-start=0.0001",
            "noise.beta-end=0.02",
            "noise.prediction-type=v-prediction",
            "noise.rescale-zero-snr=true"));
    SchedulerConfig scheduler = read(new TrainJob(), null, rescaled).scheduler();
    assertThat(scheduler)
        .isEqualTo(
            new SchedulerConfig(
                Betas.of(BetaSchedule.LINEAR, 1000, 0.0001, 0.02).endingWithoutSignal(),
                PredictionType.V_PREDICTION,
                0,
                false,
                1,
                TimestepSpacing.TRAILING));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "workers=0 | must be a whole number from 1",
        "workres=2 | is not a known key; did you mean workers?",
        "batch-size=many | must be a whole number from 1",
        "steps=15 | must be a multiple of averaging.frequency, which is 10",
        "device=tpu | must be one of cpu, cuda",
        "precision=fp8 | must be one of auto, fp32, bf16",
        "learning-rate.peak=-1 | must be a number from 0.0",
        "learning-rate.hold-share=1.5 | must be a number from 0.0 to 1.0",
        "optimizer.beta1=1 | must be below 1",
        "optimizer.decay=none | must be one of all, matrices",
        "optimizer.beta2=1 | must be below 1",
        "optimizer.beta2=2 | must be a number from 0.0 to 1.0",
        "averaging.deadline=soon | must be a duration",
        "averaging.deadline=0s | must be above 0",
        "checkpoint.writing=sync | must be one of background, blocking",
        "averaging.outer=adam | must be one of plain, nesterov",
        "averaging.nesterov.momentum=1 | must be below 1",
        "averaging.overlap-steps=11 | must be a whole number from 0 to 10",
        "averaging.wire=fp8 | must be one of fp32, bf16",
        "accumulate=0 | must be a whole number from 1",
        "accumulate=100000 | times batch-size (16) must be at most 1000000",
        "checkpoint.keep=0 | must be a whole number from 1",
        "model=/none/config.json | must be the path of a config.json of this model",
        "dataset= | is required",
        "output= | is required",
        "activations=drop | must be one of keep, recompute",
        "caption-dropout=1.5 | must be a number from 0.0 to 1.0",
        "noise.schedule=cosine | must be one of linear, scaled-linear, squaredcos-cap-v2",
        "noise.prediction-type=x0 | must be one of epsilon, v-prediction, sample",
        "noise.beta-start=0 | must be a number above 0",
        "noise.beta-end=0.0001 | must be from noise.beta-start (8.5E-4) to below 1",
        "noise.trained-betas=[0.1,\"x\"] | must be numbers above 0 and below 1",
        "noise.trained-betas=[0.1,0.2] | must be as many as noise.timesteps (1000), not 2",
        "noise.rescale-zero-snr=true | must be false with noise.prediction-type = epsilon",
        "noise.offset=-1 | must be a number from 0.0",
        "noise.input-perturbation=x | must be a number from 0.0",
        "loss.min-snr-gamma=-5 | must be a number from 0.0",
        "noise.timesteps=4 | must be a whole number from 8",
        "noise.timesteps=20 | must be at most noise.timesteps, which is 20",
        "samples.steps=2000 | must be a whole number from 1",
      })
  void badValuesAreRefusedWithWhatIsAllowed(String override, String allowed) throws Exception {
    List<String> overrides = with(List.of("dataset=d", "output=o", "model=" + unet()), override);
    assertThatThrownBy(() -> read(new TrainJob(), null, overrides))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining(override.substring(0, override.indexOf('=')))
        .hasMessageContaining(override.substring(override.indexOf('=') + 1))
        .hasMessageContaining(allowed);
  }

  @ParameterizedTest
  @ValueSource(strings = {"workres=2", "workers=0", "noise", "--confg=x", "dataset="})
  void badUsageEndsWithTwoBeforeAnyWork(String argument) throws Exception {
    Path output = folder.resolve("out");
    List<String> arguments =
        with(List.of("dataset=" + folder, "output=" + output, "model=" + unet()), argument);
    assertThat(Launcher.run(new TrainJob(), arguments.toArray(String[]::new))).isEqualTo(2);
    assertThat(output).doesNotExist();
    assertThat(SparkSession.getDefaultSession().isEmpty()).as("no Spark session").isTrue();
  }

  @SafeVarargs
  private static void assertDefaults(Verb<?> verb, Map<String, Object>... expected) {
    Map<String, Object> all = new TreeMap<>();
    for (Map<String, Object> part : expected) {
      all.putAll(part);
    }
    assertThat(Settings.defaults(verb.references())).containsExactlyEntriesOf(all);
  }

  private static <C> void assertAllRead(Verb<C> verb, List<String> overrides) {
    Settings settings = Settings.load(verb.references(), null, overrides);
    settings.read(verb::configure);
    assertThat(settings.unread()).as("keys of %s that nothing reads", verb.name()).isEmpty();
  }

  private static <C> C read(Verb<C> verb, Path file, List<String> overrides) {
    return Settings.load(verb.references(), file, overrides).read(verb::configure);
  }

  private static List<String> with(List<String> items, String last) {
    List<String> all = new ArrayList<>(items);
    all.add(last);
    return all;
  }

  private Path unet() throws IOException {
    return Files.writeString(folder.resolve("unet.json"), TinyUNet.CONFIG);
  }

  private static Path shipped(String name) {
    return Path.of(System.getProperty("basedir", ""), "..", "conf", name).normalize();
  }
}
