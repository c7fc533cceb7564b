package org.latentspark.diffusion;

import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.latentspark.tensor.Precision;
import org.latentspark.unet.UNet2DConditionModel;

/**
 * A U-Net with text and classifier-free guidance (Ho and Salimans, 2022): unconditional and
 * conditional predictions come from one forward pass of twice the batch, and the result is
 * unconditional + scale (conditional - unconditional).
 */
public final class GuidedDenoiser implements Denoiser {
  /**
   * Text as the U-Net takes it.
   *
   * @param hiddenStates [B, T, D]
   * @param pooled [B, P], or null where the U-Net takes none
   */
  public record Text(Tensor hiddenStates, Tensor pooled) {}

  private final UNet2DConditionModel unet;
  private final Precision precision;
  private final Text text;
  private final double scale;

  /**
   * Prepares a batch's text.
   *
   * @param negative what to lead away from, the empty prompt by default; shaped as {@code prompts}
   * @param scale 1 draws without guidance, in half the time
   */
  public GuidedDenoiser(
      UNet2DConditionModel unet, Precision precision, Text prompts, Text negative, double scale) {
    this.unet = unet;
    this.precision = precision;
    this.scale = scale;
    this.text =
        scale == 1
            ? prompts
            : new Text(
                torch.cat(new TensorVector(negative.hiddenStates(), prompts.hiddenStates()), 0),
                prompts.pooled() == null
                    ? null
                    : torch.cat(new TensorVector(negative.pooled(), prompts.pooled()), 0));
  }

  @Override
  public Tensor predict(Tensor noised, int t) {
    Tensor batch = scale == 1 ? noised : torch.cat(new TensorVector(noised, noised), 0);
    DeviceType device = noised.device().type();
    Tensor timesteps =
        torch.full(
            new long[] {batch.size(0)},
            new Scalar(t),
            new TensorOptions(ScalarType.Long).device(new DeviceOptional(noised.device())));
    Tensor output;
    try (Precision.Region region = precision.enter(device)) {
      output = unet.forward(batch, timesteps, text.hiddenStates(), text.pooled());
    }
    if (scale == 1) {
      return output;
    }
    TensorVector halves = output.chunk(2, 0);
    Tensor unconditional = halves.get(0);
    return unconditional.add(halves.get(1).sub(unconditional).mul(new Scalar(scale)));
  }
}
