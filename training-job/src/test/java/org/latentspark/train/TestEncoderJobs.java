package org.latentspark.train;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.Launcher;
import org.latentspark.cli.Verb;
import org.latentspark.model.AutoencoderKL;
import org.latentspark.model.ClipTextModel;
import org.latentspark.model.ClipTokenizer;
import org.latentspark.model.ClipVisionModel;
import org.latentspark.model.ModelDirectory;
import org.latentspark.tensor.Natives;

/** Trains small encoders for a few steps on the repository's sample pairs, with seed 2026. */
@Tag("slow")
class TestEncoderJobs {
  private static final Path SAMPLE = Path.of("..", "data-prep", "sample").toAbsolutePath();
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String VAE =
      """
      {"_class_name": "AutoencoderKL", "act_fn": "silu", "block_out_channels": [8, 16],
       "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D"],
       "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"],
       "latent_channels": 4, "norm_num_groups": 4, "sample_size": 16}
      """;
  private static final String CLIP =
      """
      {"model_type": "clip", "projection_dim": 16,
       "text_config": {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1,
         "num_attention_heads": 2, "max_position_embeddings": 16, "projection_dim": 16},
       "vision_config": {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1,
         "num_attention_heads": 2, "image_size": 16, "patch_size": 8, "projection_dim": 16}}
      """;

  @BeforeAll
  static void quiet() {
    System.setProperty("spark.ui.enabled", "false");
    Natives.operationThreads(1);
  }

  @AfterAll
  static void forgetSettings() {
    System.clearProperty("spark.ui.enabled");
  }

  @Test
  void trainVaeExportsAnAutoencoderThatLoads(@TempDir Path folder) throws Exception {
    assertThat(run(new TrainVaeJob(), folder, VAE)).as("exit code").isZero();
    AutoencoderKL vae = AutoencoderKL.load(directory(folder, "vae"));
    JsonNode figures = JSON.readTree(folder.resolve("run/vae-figures.json").toFile());
    int heldOut = figures.at("/held_out/pictures").asInt();
    // 1,854 good pairs; three of the bad rows show a picture that can be read.
    assertThat(figures.at("/train/pictures").asInt() + heldOut).isBetween(1850, 1857);
    assertThat(heldOut).as("one in ten is held out").isBetween(130, 240);
    assertThat(figures.at("/held_out/psnr").asDouble()).isGreaterThan(3);
    assertThat(vae.config().scalingFactor())
        .as("latents leave with standard deviation 1")
        .isEqualTo(1 / figures.at("/train/latentStd").asDouble());
  }

  @Test
  void trainClipExportsEncodersAndTheirTokenizer(@TempDir Path folder) throws Exception {
    assertThat(run(new TrainClipJob(), folder, CLIP, "tokenizer.vocabulary-size=600"))
        .as("exit code")
        .isZero();
    ClipTokenizer tokenizer = ClipTokenizer.load(folder.resolve("run/tokenizer"));
    ClipTextModel text = ClipTextModel.load(directory(folder, "text_encoder"));
    ClipVisionModel vision = ClipVisionModel.load(directory(folder, "image_encoder"));
    assertThat(tokenizer.vocabularySize()).isEqualTo(600);
    assertThat(tokenizer.maxLength()).isEqualTo(16);
    assertThat(text.config().vocabularySize()).isEqualTo(600);
    assertThat(text.config().endToken()).isEqualTo(tokenizer.endToken());
    assertThat(vision.config().imageSize()).isEqualTo(16);
    JsonNode figures = JSON.readTree(folder.resolve("run/clip-figures.json").toFile());
    assertThat(figures.at("/held_out/recallAt10").asDouble())
        .isGreaterThanOrEqualTo(figures.at("/held_out/recallAt1").asDouble());
  }

  private static ModelDirectory directory(Path folder, String part) {
    return new ModelDirectory(
        new org.apache.hadoop.fs.Path(folder.resolve("run").resolve(part).toString()),
        new Configuration());
  }

  private static int run(Verb<?> verb, Path folder, String model, String... more) throws Exception {
    Files.writeString(folder.resolve("model.json"), model);
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "output=" + folder.resolve("run"),
                "model=" + folder.resolve("model.json"),
                "data.metadata=" + SAMPLE.resolve("metadata.parquet"),
                "data.images=" + SAMPLE.resolve("images"),
                "data.size=16",
                "precision=fp32",
                "steps=4",
                "batch-size=4",
                "averaging.frequency=2",
                "learning-rate.warmup-steps=0"));
    arguments.addAll(List.of(more));
    return Launcher.run(verb, arguments.toArray(new String[0]));
  }
}
