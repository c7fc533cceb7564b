package org.latentspark.train;

import java.util.Arrays;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.latentspark.diffusion.LatentScale;
import org.latentspark.diffusion.NoiseSchedule;
import org.latentspark.latents.EncodedPair;
import org.latentspark.latents.LatentKind;
import org.latentspark.latents.LatentShape;
import org.latentspark.latents.Manifest;
import org.latentspark.tensor.Seeds;
import org.latentspark.tensor.Tensors;
import org.latentspark.unet.UNet2DConditionModel;

/**
 * The denoising loss of held-out pairs: each at time steps spread over the schedule, with noise and
 * time steps that follow from the pair's key, so that a pair is measured alike whoever measures it.
 *
 * @param unet the network
 * @param schedule what it is trained with
 * @param scale from the autoencoder's latents to the network's
 * @param seed of the noise
 */
public record HeldOutLoss(
    UNet2DConditionModel unet, NoiseSchedule schedule, LatentScale scale, long seed) {
  /** Buckets of equal width that the schedule's steps are cut into, one measured step in each. */
  public static final int BUCKETS = 8;

  private static final long VALIDATION = 5;

  /** Requires a step for each bucket. */
  public HeldOutLoss {
    if (schedule.steps() < BUCKETS) {
      throw new IllegalArgumentException(
          "a schedule of %d steps has no %d buckets".formatted(schedule.steps(), BUCKETS));
    }
  }

  /** Returns the mean squared errors [{@link #BUCKETS}] of one pair, the least noisy first. */
  public double[] of(EncodedPair pair, Manifest manifest) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      LatentShape shape = manifest.layout().shape(pair);
      long channels = shape.channels();
      Tensor latent =
          LatentRows.one(
              pair.latent(),
              (manifest.layout().kind() == LatentKind.MEAN_STD ? 2 : 1) * channels,
              shape.height(),
              shape.width());
      return of(
          pair.key(),
          latent.narrow(1, 0, channels).to(ScalarType.Float),
          LatentRows.one(pair.textEmbedding(), manifest.text().tokens(), manifest.text().dim())
              .to(ScalarType.Float),
          Tensors.of(new long[] {LatentRows.end(pair.tokenIds())}, 1));
    }
  }

  /**
   * Returns the same from tensors.
   *
   * @param mean of the latent's posterior [1, C, h, w], as the autoencoder makes it
   * @param text last hidden states [1, T, D]
   * @param end place of the end token [1]
   */
  double[] of(String key, Tensor mean, Tensor text, Tensor end) {
    long hash = key.hashCode();
    long[] timesteps = new long[BUCKETS];
    long width = schedule.steps() / BUCKETS;
    Arrays.setAll(timesteps, bucket -> bucket * width + Math.floorMod(hash, width));
    long[] shape = Tensors.sizes(mean);
    shape[0] = BUCKETS;
    Tensor clean = scale.normalize(mean).expand(shape);
    Tensor noise = torch.randn(shape, Seeds.generator(seed, VALIDATION, hash));
    Tensor at = Tensors.of(timesteps, BUCKETS);
    Tensor predicted =
        predict(
            unet,
            schedule.addNoise(clean, noise, at),
            at,
            text.expand(BUCKETS, text.size(1), text.size(2)),
            end.expand(BUCKETS));
    Tensor errors = predicted.sub(schedule.target(clean, noise, at)).square();
    return Tensors.doubles(errors.flatten(1, -1).mean(1));
  }

  /**
   * Predicts for noisy latents, on the device that the network is on; what comes in and goes out is
   * on the CPU. The pooled text is the hidden state at the end token.
   */
  static Tensor predict(
      UNet2DConditionModel unet, Tensor noisy, Tensor timesteps, Tensor text, Tensor ends) {
    Tensor pooled = null;
    if (unet.config().projectionClassEmbeddingsInputDim() > 0) {
      Tensor place = ends.view(-1, 1, 1).expand(text.size(0), 1, text.size(2));
      pooled = text.gather(1, place).squeeze(1);
    }
    Tensor here = unet.parameters().values();
    return unet.forward(
            Tensors.beside(here, noisy),
            Tensors.beside(here, timesteps),
            Tensors.beside(here, text),
            pooled == null ? null : Tensors.beside(here, pooled))
        .to(ScalarType.Float)
        .cpu();
  }
}
