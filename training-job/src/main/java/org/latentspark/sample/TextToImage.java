package org.latentspark.sample;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.bytedeco.javacpp.PointerScope;
import org.latentspark.checkpoint.Checkpoints;
import org.latentspark.cli.InputException;
import org.latentspark.diffusion.LatentScale;
import org.latentspark.diffusion.NoiseSchedule;
import org.latentspark.diffusion.SchedulerConfig;
import org.latentspark.model.AutoencoderKL;
import org.latentspark.model.AutoencoderKLConfig;
import org.latentspark.model.ClipTextConfig;
import org.latentspark.model.ClipTextModel;
import org.latentspark.model.ClipTokenizer;
import org.latentspark.model.ModelDirectory;
import org.latentspark.tensor.CompleteFile;
import org.latentspark.tensor.FileSystems;
import org.latentspark.unet.UNet2DConditionConfig;
import org.latentspark.unet.UNet2DConditionModel;

/**
 * Prompts in, pictures out. The encoders are loaded once; checkpoints of one run can be loaded one
 * after the other, into the same memory.
 */
public final class TextToImage {
  private final Configuration configuration;
  private final TextEncoder text;
  private final AutoencoderKL vae;
  private ImageSampler sampler;

  private TextToImage(TextEncoder text, AutoencoderKL vae, Configuration configuration) {
    this.configuration = configuration;
    this.text = text;
    this.vae = vae;
  }

  /**
   * Loads {@code vae/}, {@code text_encoder/} and {@code tokenizer/} of a directory in diffusers'
   * layout.
   *
   * @throws InputException when one of them is missing or damaged
   */
  public static TextToImage open(Path encoders, Configuration configuration) throws IOException {
    return new TextToImage(
        TextEncoder.load(encoders, configuration),
        AutoencoderKL.load(new ModelDirectory(new Path(encoders, "vae"), configuration)),
        configuration);
  }

  /**
   * Returns the checkpoint that a user means by {@code path}: itself, or the newest complete one of
   * a run.
   *
   * @throws InputException when there is none
   */
  public static Path checkpoint(Path path, Configuration configuration) throws IOException {
    FileSystem fileSystem = FileSystems.of(path, configuration);
    for (Weights weights : Weights.values()) {
      if (fileSystem.exists(new Path(path, weights.directory()))) {
        return path;
      }
    }
    Optional<Path> latest = Checkpoints.of(path, configuration).latest();
    return latest.orElseThrow(
        () ->
            new InputException(
                path
                    + " is neither a checkpoint (unet/ or unet_ema/) nor a run with a complete"
                    + " one (checkpoints/)"));
  }

  /**
   * Loads the U-Net, the schedule and the scale of the latents from a checkpoint, or from a
   * published model in diffusers' layout.
   *
   * @throws InputException when a part is missing or damaged
   */
  public void load(Path checkpoint, Weights weights) throws IOException {
    ModelDirectory directory =
        new ModelDirectory(new Path(checkpoint, weights.directory()), configuration);
    UNet2DConditionConfig config = directory.config(UNet2DConditionConfig::fromJson);
    UNet2DConditionModel unet;
    if (sampler != null && sampler.unet().config().equals(config)) {
      unet = sampler.unet();
    } else {
      unet = new UNet2DConditionModel(config);
      unet.parameters().allocate();
    }
    directory.load(unet.parameters());
    connect(checkpoint, unet);
  }

  /**
   * Builds the models of a checkpoint without their weights: for what their configurations tell.
   *
   * @throws InputException when a configuration is missing, refused, or does not fit the others
   */
  static TextToImage declared(
      Path encoders, Path checkpoint, Weights weights, Configuration configuration)
      throws IOException {
    TextToImage model =
        new TextToImage(
            new TextEncoder(
                ClipTokenizer.load(new Path(encoders, "tokenizer"), configuration),
                new ClipTextModel(
                    new ModelDirectory(new Path(encoders, "text_encoder"), configuration)
                        .config(ClipTextConfig::parse))),
            new AutoencoderKL(
                new ModelDirectory(new Path(encoders, "vae"), configuration)
                    .config(AutoencoderKLConfig::fromJson)),
            configuration);
    ModelDirectory directory =
        new ModelDirectory(new Path(checkpoint, weights.directory()), configuration);
    model.connect(
        checkpoint, new UNet2DConditionModel(directory.config(UNet2DConditionConfig::fromJson)));
    return model;
  }

  /** Returns how many parameters the U-Net, the autoencoder and the text encoder have together. */
  long parameters() {
    return sampler().unet().parameters().count()
        + vae.parameters().count()
        + text.model().parameters().count();
  }

  /** Returns the tokens of a prompt. */
  int tokens() {
    return text.tokenizer().maxLength();
  }

  private void connect(Path checkpoint, UNet2DConditionModel unet) throws IOException {
    SchedulerConfig scheduler =
        read(checkpoint, "scheduler/scheduler_config.json", SchedulerConfig::fromJson)
            .orElseThrow(
                () ->
                    new InputException(
                        checkpoint + " has no scheduler/scheduler_config.json, so no schedule"));
    LatentScale scale =
        read(checkpoint, LatentScale.FILE_NAME, LatentScale::fromJson)
            .orElse(
                LatentScale.factor(vae.config().latentChannels(), vae.config().scalingFactor()));
    requireFit(checkpoint, unet.config(), scale);
    sampler = new ImageSampler(unet, new NoiseSchedule(scheduler), scale, vae);
  }

  /**
   * Returns what draws from the loaded checkpoint.
   *
   * @throws IllegalStateException when none is loaded
   */
  public ImageSampler sampler() {
    if (sampler == null) {
      throw new IllegalStateException("No checkpoint is loaded");
    }
    return sampler;
  }

  /**
   * Draws one picture for each prompt from the loaded checkpoint.
   *
   * @param negative prompt that all pictures are led away from, "" by default
   * @param seeds one for each prompt
   * @param step told of each denoising step of each batch
   */
  public List<BufferedImage> draw(
      List<String> prompts, String negative, long[] seeds, DrawSettings settings, Runnable step) {
    return draw(prompts, Collections.nCopies(prompts.size(), negative), seeds, settings, step);
  }

  /**
   * Draws one picture for each prompt from the loaded checkpoint.
   *
   * @param negatives prompt that each picture is led away from, "" by default
   * @param seeds one for each prompt
   * @param step told of each denoising step of each batch
   */
  public List<BufferedImage> draw(
      List<String> prompts,
      List<String> negatives,
      long[] seeds,
      DrawSettings settings,
      Runnable step) {
    ImageSampler loaded = sampler();
    if (seeds.length != prompts.size()) {
      throw new IllegalArgumentException(
          seeds.length + " seeds for " + prompts.size() + " prompts");
    }
    int pooled = loaded.unet().config().projectionClassEmbeddingsInputDim();
    try (PointerScope scope = new PointerScope()) {
      return loaded.draw(
          text.encode(prompts, pooled), text.encode(negatives, pooled), seeds, settings, step);
    }
  }

  private void requireFit(Path checkpoint, UNet2DConditionConfig config, LatentScale scale) {
    int channels = vae.config().latentChannels();
    int width = text.model().config().hiddenSize();
    if (config.inChannels() != channels || scale.channels() != channels) {
      throw new InputException(
          "%s works on %d channels, its %s on %d, and the autoencoder makes %d"
              .formatted(
                  checkpoint,
                  config.inChannels(),
                  LatentScale.FILE_NAME,
                  scale.channels(),
                  channels));
    }
    if (config.crossAttentionDim() != width) {
      throw new InputException(
          "%s takes text of width %d, and the text encoder makes %d"
              .formatted(checkpoint, config.crossAttentionDim(), width));
    }
  }

  private <T> Optional<T> read(Path checkpoint, String name, Function<String, T> parser)
      throws IOException {
    Path path = new Path(checkpoint, name);
    Optional<byte[]> text = CompleteFile.find(path, configuration);
    try {
      return text.map(bytes -> parser.apply(new String(bytes, StandardCharsets.UTF_8)));
    } catch (IllegalArgumentException e) {
      throw new InputException(path + ": " + e.getMessage(), e);
    }
  }
}
