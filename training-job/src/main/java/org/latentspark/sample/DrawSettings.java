package org.latentspark.sample;

import java.io.Serializable;
import org.latentspark.diffusion.DdimSampler;
import org.latentspark.diffusion.Guidance;
import org.latentspark.diffusion.SamplerChoice;
import org.latentspark.tensor.Precision;

/**
 * How pictures are drawn.
 *
 * @param sampler which way from noise to samples
 * @param spacing which steps it visits
 * @param steps how many of them
 * @param guidance classifier-free guidance
 * @param width of the pictures in pixels; 0 for the size that the model is trained on
 * @param height of the pictures in pixels; 0 for the size that the model is trained on
 * @param batchSize pictures drawn at once
 * @param precision arithmetic of the U-Net
 */
public record DrawSettings(
    SamplerChoice sampler,
    Spacing spacing,
    int steps,
    Guidance guidance,
    int width,
    int height,
    int batchSize,
    Precision precision)
    implements Serializable {
  /**
   * Returns settings for pictures of the trained size, drawn by DDIM without fresh noise in fp32.
   */
  public static DrawSettings of(int steps, double guidanceScale) {
    return new DrawSettings(
        new DdimSampler.Options(0),
        Spacing.CHECKPOINT,
        steps,
        Guidance.of(guidanceScale),
        0,
        0,
        12,
        Precision.FP32);
  }
}
