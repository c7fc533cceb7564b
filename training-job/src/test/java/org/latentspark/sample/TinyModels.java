package org.latentspark.sample;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.latentspark.diffusion.LatentScale;
import org.latentspark.diffusion.SchedulerConfig;
import org.latentspark.model.AutoencoderKL;
import org.latentspark.model.AutoencoderKLConfig;
import org.latentspark.model.BpeTrainer;
import org.latentspark.model.ClipTextConfig;
import org.latentspark.model.ClipTextModel;
import org.latentspark.model.ClipVisionConfig;
import org.latentspark.model.ClipVisionModel;
import org.latentspark.model.ClipVocabulary;
import org.latentspark.model.ModelDirectory;
import org.latentspark.model.ModelDirectory.Layout;
import org.latentspark.model.TorchModel;
import org.latentspark.unet.UNet2DConditionConfig;
import org.latentspark.unet.UNet2DConditionModel;

/** Untrained models of a few thousand parameters, in the layout of real ones. */
public final class TinyModels {
  private static final int TOKENS = 8;

  private TinyModels() {}

  /** Writes vae/, text_encoder/ with a projection, and tokenizer/. */
  public static void encoders(Path directory) throws IOException {
    save(
        new AutoencoderKL(
            AutoencoderKLConfig.fromJson(
                """
                {"block_out_channels": [8, 8], "norm_num_groups": 4, "latent_channels": 4,
                 "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D"],
                 "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"],
                 "sample_size": 16, "scaling_factor": 0.5}
                """)),
        directory.resolve("vae"),
        1,
        Layout.DIFFUSERS);
    ClipVocabulary vocabulary =
        BpeTrainer.train(List.of("red apple", "green apple", "blue car"), 560);
    vocabulary.write(directory.resolve("tokenizer"), TOKENS);
    save(
        new ClipTextModel(
            ClipTextConfig.parse(
                """
                {"architectures": ["CLIPTextModelWithProjection"], "model_type": "clip_text_model",
                 "vocab_size": %d, "hidden_size": 12, "intermediate_size": 24,
                 "num_hidden_layers": 1, "num_attention_heads": 2, "projection_dim": 12,
                 "max_position_embeddings": %d, "eos_token_id": %d}
                """
                    .formatted(vocabulary.size(), TOKENS, vocabulary.endToken()))),
        directory.resolve("text_encoder"),
        2,
        Layout.TRANSFORMERS);
  }

  /** Writes image_encoder/. */
  public static void imageEncoder(Path directory) throws IOException {
    save(
        new ClipVisionModel(
            ClipVisionConfig.parse(
                """
                {"architectures": ["CLIPVisionModelWithProjection"],
                 "model_type": "clip_vision_model", "hidden_size": 12, "intermediate_size": 24,
                 "num_hidden_layers": 1, "num_attention_heads": 2, "projection_dim": 12,
                 "image_size": 16, "patch_size": 8}
                """)),
        directory.resolve("image_encoder"),
        5,
        Layout.TRANSFORMERS);
  }

  /** Writes unet/, unet_ema/ with other weights, and scheduler/. */
  public static void checkpoint(Path directory) throws IOException {
    UNet2DConditionModel unet =
        new UNet2DConditionModel(
            UNet2DConditionConfig.fromJson(
                """
                {"block_out_channels": [8, 8], "layers_per_block": 1, "norm_num_groups": 4,
                 "attention_head_dim": 2, "cross_attention_dim": 12, "sample_size": 8,
                 "class_embed_type": "projection", "projection_class_embeddings_input_dim": 12,
                 "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
                 "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"]}
                """));
    save(unet, directory.resolve("unet"), 3, Layout.DIFFUSERS);
    save(unet, directory.resolve("unet_ema"), 4, Layout.DIFFUSERS);
    Path scheduler = Files.createDirectories(directory.resolve("scheduler"));
    Files.writeString(
        scheduler.resolve("scheduler_config.json"), SchedulerConfig.STABLE_DIFFUSION.toJson());
  }

  /** Writes latents.json. */
  static void scale(Path checkpoint, double mean, double std) throws IOException {
    LatentScale scale =
        new LatentScale(List.of(mean, mean, mean, mean), List.of(std, std, std, std), 1);
    Files.writeString(checkpoint.resolve(LatentScale.FILE_NAME), scale.toJson());
  }

  private static void save(TorchModel model, Path directory, long seed, Layout layout)
      throws IOException {
    model.parameters().allocate();
    model.parameters().initialize(seed);
    new ModelDirectory(new org.apache.hadoop.fs.Path(directory.toString()), new Configuration())
        .save(model, layout);
  }
}
