package org.latentspark.train;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.latentspark.model.AutoencoderKL;
import org.latentspark.tensor.StoppedException;
import org.latentspark.tensor.Tensors;

/** Measures what an autoencoder loses, from the posterior's mean, in fp32. */
final class ReconstructionQuality {
  private static final int BATCH = 32;

  private ReconstructionQuality() {}

  /**
   * What was measured; all ratios in dB for pixels in [0, 1].
   *
   * @param pictures how many were measured
   * @param psnr mean over pictures of the peak signal-to-noise ratio
   * @param psnrOfMeanError ratio of the mean squared error over all pictures
   * @param colourPsnr ratio of the colour part of the error (each pixel less its grey), averaged
   *     over 8x8 pixels: low where a hue is wrong
   * @param worstPsnr ratio of the worst picture
   * @param latentStd standard deviation of all latents
   */
  record Figures(
      int pictures,
      double psnr,
      double psnrOfMeanError,
      double colourPsnr,
      double worstPsnr,
      double latentStd) {}

  static Figures measure(AutoencoderKL vae, Pictures.Loaded pictures) {
    double psnr = 0;
    double error = 0;
    double colour = 0;
    double worst = Double.POSITIVE_INFINITY;
    double latentSum = 0;
    double latentSquares = 0;
    long latents = 0;
    try (NoGradGuard guard = new NoGradGuard()) {
      for (int start = 0; start < pictures.count(); start += BATCH) {
        StoppedException.ifTold("the measurement");
        try (PointerScope scope = new PointerScope()) {
          int end = Math.min(pictures.count(), start + BATCH);
          Tensor pixels =
              pictures.batch(torch.arange(new Scalar(start), new Scalar(end)).to(ScalarType.Long));
          Tensor mean = vae.encode(pixels).chunk(2, 1).get(0);
          Tensor decoded =
              vae.decode(mean)
                  .clamp(new ScalarOptional(new Scalar(-1.0)), new ScalarOptional(new Scalar(1.0)));
          Tensor difference = decoded.sub(pixels).div(new Scalar(2.0));
          for (double own :
              Tensors.doubles(
                  difference
                      .square()
                      .mean(new long[] {1, 2, 3}, false, new ScalarTypeOptional()))) {
            double ratio = decibels(own);
            psnr += ratio;
            error += own;
            worst = Math.min(worst, ratio);
          }
          Tensor coarse = torch.avg_pool2d(difference, 8);
          Tensor hue = coarse.sub(coarse.mean(new long[] {1}, true, new ScalarTypeOptional()));
          colour += hue.square().mean().item_double() * (end - start);
          latentSum += mean.sum().item_double();
          latentSquares += mean.square().sum().item_double();
          latents += mean.numel();
        }
      }
    }
    int count = pictures.count();
    double latentMean = latentSum / latents;
    return new Figures(
        count,
        psnr / count,
        decibels(error / count),
        decibels(colour / count),
        worst,
        Math.sqrt(latentSquares / latents - latentMean * latentMean));
  }

  private static double decibels(double meanSquaredError) {
    return -10 * Math.log10(Math.max(meanSquaredError, 1e-10));
  }
}
