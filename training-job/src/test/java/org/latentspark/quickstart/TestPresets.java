package org.latentspark.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.commons.io.FileUtils;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.latentspark.cli.Launcher;
import org.latentspark.cli.Settings;
import org.latentspark.cli.Verb;
import org.latentspark.diffusion.SchedulerConfig;
import org.latentspark.evaluate.EvaluateJob;
import org.latentspark.latents.DataFile;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.LatentShape;
import org.latentspark.latents.Manifest;
import org.latentspark.prep.PrepJob;
import org.latentspark.retrain.RetrainJob;
import org.latentspark.sample.SampleJob;
import org.latentspark.train.TrainJob;

/** Every preset passes a dry run of prep, train and sample, for which no Spark starts. */
class TestPresets {
  private static final Path CONF = Path.of("..", "conf");
  private static final Path STARTER = Path.of("..", "encoders");
  private static final String SOURCE =
      "source=" + Path.of("..", "data-prep", "sample", "metadata.parquet");

  @TempDir private Path folder;

  @BeforeEach
  void refuseSpark() {
    System.setProperty("spark.master", "there is none");
  }

  @AfterEach
  void allowSpark() {
    System.clearProperty("spark.master");
  }

  @ParameterizedTest
  @CsvSource({
    "quickstart, 8, '4,386,440', 64",
    "sample, 8, '4,386,440', 64",
    "longer, 16, '10,964,104', 128"
  })
  void smallPresetsPassADryRun(String preset, int edge, String parameters, int pixels)
      throws Exception {
    dataset(new LatentShape(8, edge, edge), 32, 128, 63);
    checkpoint(preset);
    assertThat(prep(preset, STARTER))
        .contains(pixels + " x " + pixels + " pixels to latents of 8 x " + edge + " x " + edge);
    assertThat(train(preset, "encoders=" + STARTER))
        .contains(parameters + " parameters", "begins with", "random weights", "63 pairs")
        .contains("12 pictures of 20 steps at each checkpoint")
        .containsPattern("time +not known");
    assertThat(sample(preset, STARTER))
        .contains("12 in 3 batches of 4", pixels + " x " + pixels + " pixels, 50 steps");
    assertNothingWasDone();
  }

  @ParameterizedTest
  @CsvSource({
    "sd15-256, 32, '237,000', 540 GFLOP, 18.0 TFLOP",
    "sd15-512, 64, '194,000', 2.41 TFLOP, 80.3 TFLOP"
  })
  void stableDiffusionsPresetsPassADryRun(
      String preset, int edge, String steps, String example, String picture) throws Exception {
    Path encoders = publishedEncoders();
    dataset(new LatentShape(4, edge, edge), 77, 768, 170_000_000);
    checkpoint(preset);
    int pixels = 8 * edge;
    assertThat(prep(preset, encoders))
        .contains(pixels + " x " + pixels + " pixels to latents of 4 x " + edge + " x " + edge)
        .contains("77 tokens to vectors of 768");
    assertThat(train(preset, "encoders=" + encoders))
        .contains("859,520,964 parameters, 3.2 GiB a vector")
        .contains(steps + " of each of 256 workers, batches of 4 x 2: 2,048 examples a step")
        .contains("at least 22.4 GiB of its GPU", "6.4 GiB of the host")
        .contains("about 12.8 GiB", example + " an example");
    assertThat(train(preset, "encoders=" + encoders, "--rate=2048"))
        .contains(" h ", "at the given 2,048 examples a second");
    assertThat(sample(preset, encoders)).contains(picture + " in the U-Net");
    assertNothingWasDone();
  }

  @ParameterizedTest
  @ValueSource(strings = {"sd15-256", "sd15-512"})
  void stableDiffusionsPresetsHoldWhatIsPublished(String preset) throws IOException {
    Settings settings =
        Settings.load(
            new TrainJob().references(), CONF.resolve(preset).resolve("train.conf"), List.of());
    assertThat(settings.number("learning-rate.peak", 0, 1)).isEqualTo(1e-4);
    assertThat(settings.integer("learning-rate.warmup-steps", 0, 1_000_000)).isEqualTo(10_000);
    assertThat(settings.number("learning-rate.final-share", 0, 1)).isEqualTo(1);
    assertThat(settings.number("optimizer.beta2", 0, 1)).isEqualTo(0.999);
    assertThat(settings.number("optimizer.weight-decay", 0, 1)).isEqualTo(0.01);
    assertThat(settings.number("ema.decay", 0, 1)).isEqualTo(0.9999);
    assertThat(settings.number("caption-dropout", 0, 1)).isEqualTo(0.1);
    assertThat(settings.number("noise.beta-start", 0, 1)).isEqualTo(0.00085);
    assertThat(settings.number("noise.beta-end", 0, 1)).isEqualTo(0.012);
    // The path is that from the root of the repository.
    assertThat(Path.of("..", settings.string("model"))).isRegularFile();
    try (Stream<Path> files = Files.list(CONF.resolve(preset))) {
      for (Path file : files.filter(name -> name.toString().endsWith(".conf")).toList()) {
        assertThat(Files.readString(file)).as("%s", file).contains("# Source: ");
      }
    }
  }

  private String nightOn(String dataset) throws Exception {
    return dryRun(
        new RetrainJob(),
        0,
        "models=" + folder.resolve("new"),
        "dataset=" + folder.resolve(dataset),
        "encoders=" + STARTER,
        "prep-conf=" + prepFile(),
        "train-conf=" + trainFile());
  }

  @Test
  void evaluateAndRetrainTellWhatTheyWouldDo() throws Exception {
    dataset(new LatentShape(8, 8, 8), 32, 128, 63);
    checkpoint("quickstart");
    String told =
        dryRun(
            new EvaluateJob(),
            0,
            "checkpoint=" + folder.resolve("checkpoint"),
            "dataset=" + folder.resolve("dataset"),
            "encoders=" + STARTER,
            "output=" + folder.resolve("new"));
    assertThat(told)
        .contains("20 of 20 held out, of version 1", "pictures", "of CLIP, reference in");
    String night = nightOn("new/dataset");
    assertThat(night)
        .contains("0 judged, none in use", "a new data set", "none yet")
        .contains("validation-loss");
    String later = nightOn("dataset");
    assertThat(later).contains("holds version 1 with 83 pairs", "4,386,440 parameters");
    assertNothingWasDone();
  }

  @Test
  void problemsEndWithTheCodesOfARun() throws Exception {
    dataset(new LatentShape(4, 8, 8), 32, 128, 63);
    String[] fits = {
      "dataset=" + folder.resolve("dataset"),
      "output=" + folder.resolve("new"),
      "model=" + CONF.resolve("quickstart/unet.json")
    };
    dryRun(new TrainJob(), 2, fits);
    dryRun(new TrainJob(), 2, fits[1], fits[2]);
    dryRun(new TrainJob(), 3, "dataset=" + folder, fits[1], fits[2]);
    dryRun(
        new SampleJob(),
        3,
        "prompts=x",
        "checkpoint=" + folder,
        "encoders=" + STARTER,
        "output=" + folder.resolve("new"));
    assertNothingWasDone();
  }

  private Path prepFile() throws IOException {
    return Files.writeString(
        folder.resolve("prep.conf"), SOURCE.replace("source=", "source=[\"") + "\"]");
  }

  private Path trainFile() throws IOException {
    return Files.writeString(
        folder.resolve("train.conf"), "model = \"" + CONF.resolve("quickstart/unet.json") + "\"");
  }

  private void assertNothingWasDone() {
    assertThat(folder.resolve("new")).doesNotExist();
  }

  private String prep(String preset, Path encoders) {
    return dryRun(
        new PrepJob(),
        0,
        "--conf=" + CONF.resolve(preset).resolve("prep.conf"),
        SOURCE,
        "encoders=" + encoders,
        "output=" + folder.resolve("new"));
  }

  private String train(String preset, String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "--conf=" + CONF.resolve(preset).resolve("train.conf"),
                "dataset=" + folder.resolve("dataset"),
                "model=" + CONF.resolve(preset).resolve("unet.json"),
                "output=" + folder.resolve("new")));
    arguments.addAll(Arrays.asList(more));
    return dryRun(new TrainJob(), 0, arguments.toArray(String[]::new));
  }

  private String sample(String preset, Path encoders) {
    return dryRun(
        new SampleJob(),
        0,
        "--conf=" + CONF.resolve(preset).resolve("sample.conf"),
        "checkpoint=" + folder.resolve("checkpoint"),
        "encoders=" + encoders,
        "output=" + folder.resolve("new"));
  }

  private static String dryRun(Verb<?> verb, int code, String... arguments) {
    PrintStream before = System.out;
    ByteArrayOutputStream told = new ByteArrayOutputStream();
    System.setOut(new PrintStream(told, true, StandardCharsets.UTF_8));
    try {
      List<String> all = new ArrayList<>(List.of("--dry-run"));
      all.addAll(Arrays.asList(arguments));
      assertThat(Launcher.run(verb, all.toArray(String[]::new)))
          .as("exit code of %s", all)
          .isEqualTo(code);
    } finally {
      System.setOut(before);
    }
    return told.toString(StandardCharsets.UTF_8);
  }

  /** Writes a checkpoint's configurations: a dry run reads no weights. */
  private void checkpoint(String preset) throws IOException {
    Path unet = Files.createDirectories(folder.resolve("checkpoint/unet_ema"));
    Files.copy(CONF.resolve(preset).resolve("unet.json"), unet.resolve("config.json"));
    Path scheduler = Files.createDirectories(folder.resolve("checkpoint/scheduler"));
    Files.writeString(
        scheduler.resolve("scheduler_config.json"), SchedulerConfig.STABLE_DIFFUSION.toJson());
  }

  /** Writes a manifest; what it lists is not read. */
  private void dataset(LatentShape shape, int tokens, int width, long pairs) throws IOException {
    Path directory = Files.createDirectories(folder.resolve("dataset/data"));
    Files.write(directory.resolve("a.parquet"), new byte[1]);
    Manifest manifest =
        new Manifest(
            Manifest.FORMAT,
            Manifest.FORMAT_VERSION,
            "2026-01-02T03:04:05Z",
            new Manifest.Encoders("encoders", new TreeMap<>()),
            new Manifest.Latent(
                Manifest.Latent.MEAN_STD,
                shape,
                1,
                new double[shape.channels()],
                new double[shape.channels()]),
            new Manifest.Text(tokens, width, new byte[0], new int[0]),
            8 * shape.height(),
            0,
            0.1,
            List.of(new DataFile("data/a.parquet", pairs + 20, pairs, 1, "0")),
            List.of(),
            new Manifest.Accounting(pairs + 20, pairs + 20, 0, new TreeMap<>(Map.of())));
    LatentDataset.publish(
        new org.apache.hadoop.fs.Path(folder.resolve("dataset").toUri()),
        manifest,
        new Configuration());
  }

  /** Writes the published configurations of Stable Diffusion 1.5's encoders. */
  private Path publishedEncoders() throws IOException {
    Path encoders = folder.resolve("encoders");
    Files.createDirectories(encoders.resolve("vae"));
    Files.createDirectories(encoders.resolve("text_encoder"));
    Files.writeString(
        encoders.resolve("vae/config.json"),
        """
        {"_class_name": "AutoencoderKL", "act_fn": "silu",
         "block_out_channels": [128, 256, 512, 512], "in_channels": 3, "latent_channels": 4,
         "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D",
                              "DownEncoderBlock2D"],
         "layers_per_block": 2, "norm_num_groups": 32, "out_channels": 3, "sample_size": 512,
         "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D",
                            "UpDecoderBlock2D"]}
        """);
    Files.writeString(
        encoders.resolve("text_encoder/config.json"),
        """
        {"architectures": ["CLIPTextModel"], "model_type": "clip_text_model", "vocab_size": 49408,
         "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12,
         "num_attention_heads": 12, "max_position_embeddings": 77, "hidden_act": "quick_gelu",
         "layer_norm_eps": 1e-05, "projection_dim": 768, "bos_token_id": 0, "eos_token_id": 2}
        """);
    Path tokenizer = encoders.resolve("tokenizer");
    FileUtils.copyDirectory(STARTER.resolve("tokenizer").toFile(), tokenizer.toFile());
    Path config = tokenizer.resolve("tokenizer_config.json");
    Files.writeString(
        config,
        Files.readString(config)
            .replaceAll("\"model_max_length\" *: *\\d+", "\"model_max_length\": 77"));
    return encoders;
  }
}
