package org.latentspark.model;

import org.bytedeco.pytorch.InterpolateFuncOptions;
import org.bytedeco.pytorch.InterpolateMode;
import org.bytedeco.pytorch.LongVector;
import org.bytedeco.pytorch.LongVectorOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.kBicubic;
import org.latentspark.tensor.Tensors;

/** Prepares images for CLIP's vision transformer, as its published image processor does. */
public final class ClipPixels {
  private static final float[] MEAN = {0.48145466f, 0.4578275f, 0.40821073f};
  private static final float[] STANDARD_DEVIATION = {0.26862954f, 0.26130258f, 0.27577711f};

  private ClipPixels() {}

  /** Returns the mean of red, green and blue in [0, 1] that CLIP subtracts. */
  public static float[] mean() {
    return MEAN.clone();
  }

  /** Returns the standard deviation of red, green and blue in [0, 1] that CLIP divides by. */
  public static float[] standardDeviation() {
    return STANDARD_DEVIATION.clone();
  }

  /**
   * Turns RGB in [-1, 1], [B, 3, H, W], into CLIP's pixels [B, 3, size, size]: the shorter side
   * resized to {@code size} (bicubic, antialiased), the centre cropped, channels normalized.
   */
  public static Tensor of(Tensor rgb, long size) {
    if (rgb.dim() != 4 || rgb.size(1) != 3) {
      throw new IllegalArgumentException(
          "RGB images must have shape [batch, 3, height, width], not " + Tensors.shape(rgb));
    }
    Tensor unit = crop(resize(rgb, size), size).mul(new Scalar(0.5)).add(new Scalar(0.5));
    return unit.sub(channels(MEAN, rgb)).div(channels(STANDARD_DEVIATION, rgb));
  }

  private static Tensor resize(Tensor rgb, long size) {
    long height = rgb.size(2);
    long width = rgb.size(3);
    long shorter = Math.min(height, width);
    if (shorter == size) {
      return rgb;
    }
    InterpolateFuncOptions options = new InterpolateFuncOptions();
    options
        .size()
        .put(
            new LongVectorOptional(
                new LongVector(height * size / shorter, width * size / shorter)));
    options.mode().put(new InterpolateMode(new kBicubic()));
    options.align_corners().put(false);
    options.antialias().put(true);
    // Bicubic weights overshoot beside edges.
    return torch
        .interpolate(rgb, options)
        .clamp(new ScalarOptional(new Scalar(-1.0)), new ScalarOptional(new Scalar(1.0)));
  }

  private static Tensor crop(Tensor rgb, long size) {
    return rgb.narrow(2, (rgb.size(2) - size) / 2, size).narrow(3, (rgb.size(3) - size) / 2, size);
  }

  private static Tensor channels(float[] values, Tensor like) {
    return Tensors.of(values, 1, values.length, 1, 1).to(like.device(), like.scalar_type());
  }
}
