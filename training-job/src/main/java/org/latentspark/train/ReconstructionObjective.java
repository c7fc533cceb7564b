package org.latentspark.train;

import java.io.IOException;
import java.io.Serializable;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.latentspark.averaging.Objective;
import org.latentspark.cli.Settings;
import org.latentspark.model.AutoencoderKL;
import org.latentspark.model.TorchModel;
import org.latentspark.tensor.Seeds;
import org.latentspark.tensor.Tensors;

/**
 * The autoencoder's objective: reconstruction from a sample of the posterior, with a slight pull of
 * the posterior to the standard normal (Kingma and Welling, "Auto-encoding variational Bayes",
 * 2014). Validation is the mean squared error from the posterior's mean.
 */
record ReconstructionObjective(Pictures pictures, int batchSize, long seed, Weights weights)
    implements Objective {
  private static final long serialVersionUID = 1;
  private static final long FLIP = 1;
  private static final long POSTERIOR = 2;
  private static final int VALIDATION_BATCH = 32;

  /** The weights of the parts of the loss; see {@code vae.conf}. */
  record Weights(double l1, double mse, double chroma, double kl) implements Serializable {
    static Weights read(Settings settings) {
      return new Weights(
          settings.number("loss.l1", 0, 1e6),
          settings.number("loss.mse", 0, 1e6),
          settings.number("loss.chroma", 0, 1e6),
          settings.number("loss.kl", 0, 1e6));
    }
  }

  @Override
  public Session open(TorchModel model, List<String> shards, int rank, int workers)
      throws IOException {
    AutoencoderKL vae = (AutoencoderKL) model;
    return new PictureSession(pictures, batchSize, seed, rank, workers) {
      @Override
      public Tensor loss(long step) {
        Tensor pixels = train().batch(Tensors.of(places(step), batchSize));
        Tensor here = vae.parameters().values();
        return lossOf(vae, Tensors.beside(here, flipped(pixels, rank, step)), rank, step);
      }

      @Override
      public Validation validate() {
        return new Validation(squaredErrors(vae, heldOut()), heldOut().count());
      }
    };
  }

  /** Mirrors each picture with probability one half. */
  private Tensor flipped(Tensor pixels, int rank, long step) {
    Tensor mirror =
        torch
            .rand(new long[] {pixels.size(0), 1, 1, 1}, Seeds.generator(seed, FLIP, rank, step))
            .lt(new Scalar(0.5));
    return torch.where(mirror, pixels.flip(3), pixels);
  }

  private Tensor lossOf(AutoencoderKL vae, Tensor pixels, int rank, long step) {
    TensorVector moments = vae.encode(pixels).to(ScalarType.Float).chunk(2, 1);
    Tensor mean = moments.get(0);
    Tensor logVariance =
        moments
            .get(1)
            .clamp(new ScalarOptional(new Scalar(-20.0)), new ScalarOptional(new Scalar(5.0)));
    Tensor noise =
        Tensors.beside(
            mean, torch.randn(Tensors.sizes(mean), Seeds.generator(seed, POSTERIOR, rank, step)));
    Tensor latents = mean.add(logVariance.mul(new Scalar(0.5)).exp().mul(noise));
    Tensor error = vae.decode(latents).to(ScalarType.Float).sub(pixels);
    Tensor colour =
        error.sub(error.mean(new long[] {1}, true, new org.bytedeco.pytorch.ScalarTypeOptional()));
    Tensor coarse = torch.avg_pool2d(colour, 4);
    Tensor divergence =
        mean.square().add(logVariance.exp()).sub(new Scalar(1.0)).sub(logVariance).mean();
    return error
        .abs()
        .mean()
        .mul(new Scalar(weights.l1()))
        .add(error.square().mean().mul(new Scalar(weights.mse())))
        .add(coarse.square().mean().mul(new Scalar(weights.chroma())))
        .add(divergence.mul(new Scalar(0.5 * weights.kl())));
  }

  /** Returns the sum over pictures of the mean squared error, pixels in [0, 1]. */
  private static double squaredErrors(AutoencoderKL vae, Pictures.Loaded pictures) {
    double sum = 0;
    for (int start = 0; start < pictures.count(); start += VALIDATION_BATCH) {
      try (PointerScope scope = new PointerScope()) {
        int end = Math.min(pictures.count(), start + VALIDATION_BATCH);
        Tensor pixels =
            Tensors.beside(
                vae.parameters().values(),
                pictures.batch(
                    torch.arange(new Scalar(start), new Scalar(end)).to(ScalarType.Long)));
        Tensor decoded =
            vae.decode(vae.encode(pixels).to(ScalarType.Float).chunk(2, 1).get(0))
                .to(ScalarType.Float)
                .clamp(new ScalarOptional(new Scalar(-1.0)), new ScalarOptional(new Scalar(1.0)));
        sum += decoded.sub(pixels).square().mean().item_double() / 4 * (end - start);
      }
    }
    return sum;
  }
}
