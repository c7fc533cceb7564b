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
 * A U-Net with text and classifier-free guidance: unconditional and conditional predictions come
 * from one forward pass of twice the batch.
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
  private final Guidance guidance;

  /**
   * Prepares a batch's text.
   *
   * @param negative what to lead away from, the empty prompt by default; shaped as {@code prompts}
   * @param guidance how far to lead; none takes half the time
   */
  public GuidedDenoiser(
      UNet2DConditionModel unet,
      Precision precision,
      Text prompts,
      Text negative,
      Guidance guidance) {
    this.unet = unet;
    this.precision = precision;
    this.guidance = guidance;
    this.text =
        guidance.isNone()
            ? prompts
            : new Text(
                torch.cat(new TensorVector(negative.hiddenStates(), prompts.hiddenStates()), 0),
                prompts.pooled() == null
                    ? null
                    : torch.cat(new TensorVector(negative.pooled(), prompts.pooled()), 0));
  }

  @Override
  public Tensor predict(Tensor noised, int t) {
    Tensor batch = guidance.isNone() ? noised : torch.cat(new TensorVector(noised, noised), 0);
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
    if (guidance.isNone()) {
      return output;
    }
    TensorVector halves = output.chunk(2, 0);
    return guidance.combine(halves.get(0), halves.get(1));
  }
}
