package org.latentspark.sample;

import org.latentspark.tensor.Precision;

/**
 * How pictures are drawn.
 *
 * @param steps denoising steps
 * @param eta share of fresh noise in each step: 0 is deterministic
 * @param guidanceScale strength of classifier-free guidance; 1 for none
 * @param width of the pictures in pixels; 0 for the size that the model is trained on
 * @param height of the pictures in pixels; 0 for the size that the model is trained on
 * @param batchSize pictures drawn at once
 * @param precision arithmetic of the U-Net
 */
public record DrawSettings(
    int steps,
    double eta,
    double guidanceScale,
    int width,
    int height,
    int batchSize,
    Precision precision) {
  /** Returns settings for pictures of the trained size, drawn without fresh noise in fp32. */
  public static DrawSettings of(int steps, double guidanceScale) {
    return new DrawSettings(steps, 0, guidanceScale, 0, 0, 12, Precision.FP32);
  }
}
