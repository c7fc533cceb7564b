package org.latentspark.sample;

import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.latentspark.cli.UsageException;
import org.latentspark.diffusion.Denoiser;
import org.latentspark.diffusion.GuidedDenoiser;
import org.latentspark.diffusion.LatentScale;
import org.latentspark.diffusion.NoiseSchedule;
import org.latentspark.diffusion.Sampler;
import org.latentspark.diffusion.SeededNoise;
import org.latentspark.model.AutoencoderKL;
import org.latentspark.tensor.Tensors;
import org.latentspark.unet.UNet2DConditionModel;

/**
 * Draws pictures: noise, guided denoising, decoding. Each model works on the device that its
 * parameters are on.
 *
 * @param unet the noise-prediction network
 * @param schedule what it was trained with
 * @param scale from its latents to the autoencoder's
 * @param vae the autoencoder
 */
public record ImageSampler(
    UNet2DConditionModel unet, NoiseSchedule schedule, LatentScale scale, AutoencoderKL vae) {
  /**
   * Draws one picture for each seed, in sRGB.
   *
   * @param prompts text of each picture, [N, ...]
   * @param negative what to lead each picture away from, [N, ...], usually the empty prompt
   * @param seeds one for each picture, [N]; the same seed, text and settings give the same picture
   *     whatever else is drawn
   * @param step told of each denoising step of each batch
   * @throws UsageException when the schedule does not allow the sampler or its steps
   */
  public List<BufferedImage> draw(
      GuidedDenoiser.Text prompts,
      GuidedDenoiser.Text negative,
      long[] seeds,
      DrawSettings settings,
      Runnable step) {
    Sampler sampler = sampler(settings);
    List<BufferedImage> pictures = new ArrayList<>();
    for (int from = 0; from < seeds.length; from += settings.batchSize()) {
      int count = Math.min(settings.batchSize(), seeds.length - from);
      try (PointerScope scope = new PointerScope();
          NoGradGuard guard = new NoGradGuard()) {
        Tensor latents =
            latents(
                rows(prompts, from, count),
                rows(negative, from, count),
                Arrays.copyOfRange(seeds, from, from + count),
                sampler,
                settings,
                step);
        for (int row = 0; row < count; row++) {
          pictures.add(decode(latents.narrow(0, row, 1)));
        }
      }
    }
    return pictures;
  }

  /**
   * Checks settings before there is any work.
   *
   * @throws UsageException when the model does not allow the size, or the schedule the sampler or
   *     its steps
   */
  public void require(DrawSettings settings) {
    sampler(settings);
    edge(settings.height(), "height");
    edge(settings.width(), "width");
  }

  private Sampler sampler(DrawSettings settings) {
    try {
      return settings.sampler().over(settings.spacing().of(schedule), settings.steps());
    } catch (IllegalArgumentException e) {
      throw new UsageException(e.getMessage(), e);
    }
  }

  private Tensor latents(
      GuidedDenoiser.Text prompts,
      GuidedDenoiser.Text negative,
      long[] seeds,
      Sampler sampler,
      DrawSettings settings,
      Runnable step) {
    long[] shape = {
      unet.config().inChannels(), edge(settings.height(), "height"), edge(settings.width(), "width")
    };
    Denoiser guided =
        new GuidedDenoiser(unet, settings.precision(), prompts, negative, settings.guidance());
    Denoiser counted =
        (noised, t) -> {
          step.run();
          return guided.predict(noised, t);
        };
    return sampler.sample(counted, new SeededNoise(seeds, shape), unet.parameters().values());
  }

  /** Returns how many pixels of an edge one of a latent stands for. */
  int downscale() {
    return vae.config().downscale();
  }

  /** Returns the edge of a latent for one of so many pixels; 0 for the trained size. */
  long edge(int pixels, String name) {
    int downscale = vae.config().downscale();
    if (pixels == 0) {
      if (unet.config().sampleSize() == null) {
        throw new UsageException(
            name + " = 0: the U-Net's config.json has no sample_size, so it must be given");
      }
      return unet.config().sampleSize();
    }
    if (pixels % downscale != 0) {
      throw new UsageException(
          "%s = %d: must be a multiple of %d, by which the autoencoder divides"
              .formatted(name, pixels, downscale));
    }
    return pixels / downscale;
  }

  private BufferedImage decode(Tensor latents) {
    try (PointerScope scope = new PointerScope()) {
      return decodeRaw(scale.restore(latents));
    }
  }

  /** Decodes a latent [1, C, h, w] as the autoencoder makes it, and a data set holds it. */
  public BufferedImage decodeRaw(Tensor latent) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      Tensor weights = vae.parameters().values();
      return picture(vae.decode(latent.to(weights.device(), weights.scalar_type())).squeeze(0));
    }
  }

  /** Returns pixels [3, H, W] in [-1, 1] as a picture. */
  private static BufferedImage picture(Tensor pixels) {
    int height = (int) pixels.size(1);
    int width = (int) pixels.size(2);
    Tensor levels = pixels.to(ScalarType.Float).mul(new Scalar(127.5)).add(new Scalar(127.5));
    float[] values = Tensors.floats(levels);
    BufferedImage picture = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    int plane = height * width;
    for (int i = 0; i < plane; i++) {
      int rgb =
          level(values[i]) << 16 | level(values[plane + i]) << 8 | level(values[2 * plane + i]);
      picture.setRGB(i % width, i / width, rgb);
    }
    return picture;
  }

  private static int level(float value) {
    return Math.max(0, Math.min(255, Math.round(value)));
  }

  private GuidedDenoiser.Text rows(GuidedDenoiser.Text text, int from, int count) {
    Tensor pooled = text.pooled();
    return placed(
        text.hiddenStates().narrow(0, from, count),
        pooled == null ? null : pooled.narrow(0, from, count));
  }

  private GuidedDenoiser.Text placed(Tensor hidden, Tensor pooled) {
    Tensor place = unet.parameters().values();
    return new GuidedDenoiser.Text(
        hidden.to(place.device(), ScalarType.Float),
        pooled == null ? null : pooled.to(place.device(), ScalarType.Float));
  }
}
