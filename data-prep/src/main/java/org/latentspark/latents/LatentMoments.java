package org.latentspark.latents;

import java.io.Serializable;
import java.util.Arrays;

/**
 * Running moments, per channel, of the latents of the training split, in double precision.
 *
 * <p>They describe a latent as training draws it, mean + std * epsilon: its variance is the
 * variance of the means plus the mean of the variances.
 *
 * @param count values seen in each channel
 * @param sum [channels], sum of the means
 * @param sumOfSquares [channels], sum of mean^2 + std^2
 */
@SuppressWarnings("ArrayRecordComponent") // carried and merged, never compared
public record LatentMoments(long count, double[] sum, double[] sumOfSquares)
    implements Serializable {

  /** Returns the moments of nothing. */
  public static LatentMoments none(int channels) {
    return new LatentMoments(0, new double[channels], new double[channels]);
  }

  /** Returns these moments with those of one more fp16 {@code latent} added. */
  LatentMoments plus(byte[] latent, LatentKind kind) {
    float[] values = Fp16.toFloats(latent);
    int channels = sum.length;
    int plane = values.length / ((kind == LatentKind.MEAN_STD ? 2 : 1) * channels);
    double[] sums = sum.clone();
    double[] squares = sumOfSquares.clone();
    for (int channel = 0; channel < channels; channel++) {
      for (int i = 0; i < plane; i++) {
        double mean = values[channel * plane + i];
        double deviation =
            kind == LatentKind.MEAN_STD ? values[(channels + channel) * plane + i] : 0;
        sums[channel] += mean;
        squares[channel] += mean * mean + deviation * deviation;
      }
    }
    return new LatentMoments(count + plane, sums, squares);
  }

  /** Returns these and {@code other} together. */
  public LatentMoments plus(LatentMoments other) {
    double[] sums = sum.clone();
    double[] squares = sumOfSquares.clone();
    for (int channel = 0; channel < sums.length; channel++) {
      sums[channel] += other.sum[channel];
      squares[channel] += other.sumOfSquares[channel];
    }
    return new LatentMoments(count + other.count, sums, squares);
  }

  /** Returns the mean of each channel; zeros where nothing was seen. */
  public double[] mean() {
    double[] mean = new double[sum.length];
    for (int channel = 0; channel < mean.length && count > 0; channel++) {
      mean[channel] = sum[channel] / count;
    }
    return mean;
  }

  /** Returns the standard deviation of each channel; ones where nothing was seen. */
  public double[] std() {
    double[] mean = mean();
    double[] std = new double[sum.length];
    Arrays.fill(std, 1);
    for (int channel = 0; channel < std.length && count > 0; channel++) {
      double variance = sumOfSquares[channel] / count - mean[channel] * mean[channel];
      std[channel] = Math.sqrt(Math.max(variance, 0));
    }
    return std;
  }
}
