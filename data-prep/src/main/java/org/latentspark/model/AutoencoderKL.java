package org.latentspark.model;

import java.io.IOException;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.latentspark.tensor.Initializer;
import org.latentspark.tensor.ParameterScope;
import org.latentspark.tensor.ParameterTable;
import org.latentspark.tensor.Tensors;

/**
 * The variational autoencoder between pixels and latents (Kingma and Welling, 2014; Rombach et al.,
 * 2022), with the architecture and names of diffusers' {@code AutoencoderKL}.
 */
public final class AutoencoderKL implements TorchModel {
  /** Bounds that users of the moments clamp the log-variance to, as diffusers does. */
  public static final double MIN_LOG_VARIANCE = -30;

  /** See {@link #MIN_LOG_VARIANCE}. */
  public static final double MAX_LOG_VARIANCE = 20;

  /** How published files name the parameters: the first Stable Diffusion's attention differs. */
  public static final WeightNames NAMES =
      WeightNames.EXACT.renaming(
          name ->
              name.replaceFirst("(attentions\\.0\\.)query\\.", "$1to_q.")
                  .replaceFirst("(attentions\\.0\\.)key\\.", "$1to_k.")
                  .replaceFirst("(attentions\\.0\\.)value\\.", "$1to_v.")
                  .replaceFirst("(attentions\\.0\\.)proj_attn\\.", "$1to_out.0."));

  private final AutoencoderKLConfig config;
  private final ParameterTable parameters;
  private final Encoder encoder;
  private final Decoder decoder;
  private final Conv2d quant;
  private final Conv2d postQuant;

  /** Declares the parameters; bind or allocate {@link #parameters()} before use. */
  public AutoencoderKL(AutoencoderKLConfig config) {
    ParameterScope root = ParameterScope.root();
    long latent = config.latentChannels();
    long top = config.blockOutChannels().get(config.blockOutChannels().size() - 1);
    Initializer moments =
        config.useQuantConv() ? Initializer.fanIn(top * 9) : posterior(top * 9, latent);
    this.config = config;
    this.encoder = new Encoder(root.child("encoder"), config, moments);
    this.decoder = new Decoder(root.child("decoder"), config);
    this.quant =
        config.useQuantConv()
            ? new Conv2d(
                root.child("quant_conv"),
                2 * latent,
                2 * latent,
                1,
                1,
                0,
                posterior(2 * latent, latent))
            : null;
    this.postQuant =
        config.usePostQuantConv()
            ? new Conv2d(root.child("post_quant_conv"), latent, latent, 1, 1, 0)
            : null;
    this.parameters = root.table();
  }

  /** Loads a published autoencoder into memory of its own on the CPU, for inference. */
  public static AutoencoderKL load(ModelDirectory directory) throws IOException {
    return directory.load(
        new AutoencoderKL(directory.config(AutoencoderKLConfig::fromJson)), NAMES);
  }

  /** Returns the shape of the model. */
  public AutoencoderKLConfig config() {
    return config;
  }

  /**
   * Encodes pixels [B, 3, H, W] in [-1, 1] to moments [B, 2C, h, w]: mean, then log-variance, which
   * the caller clamps.
   */
  public Tensor encode(Tensor pixels) {
    int multiple = config.downscale();
    if (pixels.dim() != 4
        || pixels.size(1) != config.inChannels()
        || pixels.size(2) % multiple != 0
        || pixels.size(3) % multiple != 0) {
      throw new IllegalArgumentException(
          "Pixels must have shape [B, %d, H, W] with H and W multiples of %d, not %s"
              .formatted(config.inChannels(), multiple, Tensors.shape(pixels)));
    }
    Tensor hidden = encoder.forward(pixels);
    return quant == null ? hidden : quant.forward(hidden);
  }

  /**
   * Decodes latents [B, C, h, w], already divided by the scaling factor, to pixels [B, 3, H, W].
   */
  public Tensor decode(Tensor latents) {
    if (latents.dim() != 4 || latents.size(1) != config.latentChannels()) {
      throw new IllegalArgumentException(
          "Latents must have shape [B, %d, h, w], not %s"
              .formatted(config.latentChannels(), Tensors.shape(latents)));
    }
    return decoder.forward(postQuant == null ? latents : postQuant.forward(latents));
  }

  @Override
  public ParameterTable parameters() {
    return parameters;
  }

  @Override
  public String configJson() {
    return config.toJson();
  }

  /**
   * Starts the posterior narrow (log-variance -5) and its means wide apart: from PyTorch's defaults
   * the sampling noise drowns the means, and a small model learns a grey blur.
   */
  private static Initializer posterior(long fanIn, long latent) {
    Initializer base = Initializer.fanIn(fanIn);
    return (values, generator) -> {
      base.fill(values, generator);
      Tensor mean = values.narrow(0, 0, latent);
      Tensor logVariance = values.narrow(0, latent, latent);
      if (values.dim() == 1) {
        logVariance.fill_(new Scalar(-5.0));
      } else {
        mean.mul_(new Scalar(3.0));
        logVariance.mul_(new Scalar(0.3));
      }
    };
  }
}
