package org.latentspark.diffusion;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * What the network predicts. With x_t = a x_0 + s noise, where a = sqrt(alphabar_t) and s = sqrt(1
 * - alphabar_t), each of the three gives the other two.
 */
public enum PredictionType {
  /** The noise (Ho et al., 2020). */
  EPSILON("epsilon") {
    @Override
    Tensor target(Tensor clean, Tensor noise, Tensor signalScale, Tensor noiseScale) {
      return noise;
    }

    @Override
    Tensor clean(Tensor noised, Tensor output, double signalScale, double noiseScale) {
      return noised.sub(output.mul(new Scalar(noiseScale))).div(new Scalar(signalScale));
    }

    @Override
    Tensor noise(Tensor noised, Tensor output, double signalScale, double noiseScale) {
      return output;
    }

    @Override
    Tensor minSnrWeight(Tensor snr, Scalar gamma) {
      // Not min(SNR, gamma) / SNR, which is 0 / 0 where nothing of the sample is left.
      return snr.reciprocal().mul(gamma).clamp_max(new Scalar(1));
    }
  },
  /** The velocity a noise - s x_0 (Salimans and Ho, 2022). */
  V_PREDICTION("v_prediction") {
    @Override
    Tensor target(Tensor clean, Tensor noise, Tensor signalScale, Tensor noiseScale) {
      return noise.mul(signalScale).sub(clean.mul(noiseScale));
    }

    @Override
    Tensor clean(Tensor noised, Tensor output, double signalScale, double noiseScale) {
      return noised.mul(new Scalar(signalScale)).sub(output.mul(new Scalar(noiseScale)));
    }

    @Override
    Tensor noise(Tensor noised, Tensor output, double signalScale, double noiseScale) {
      return output.mul(new Scalar(signalScale)).add(noised.mul(new Scalar(noiseScale)));
    }

    @Override
    Tensor minSnrWeight(Tensor snr, Scalar gamma) {
      return snr.clamp_max(gamma).div(snr.add(new Scalar(1)));
    }
  },
  /** The clean sample. */
  SAMPLE("sample") {
    @Override
    Tensor target(Tensor clean, Tensor noise, Tensor signalScale, Tensor noiseScale) {
      return clean;
    }

    @Override
    Tensor clean(Tensor noised, Tensor output, double signalScale, double noiseScale) {
      return output;
    }

    @Override
    Tensor noise(Tensor noised, Tensor output, double signalScale, double noiseScale) {
      return noised.sub(output.mul(new Scalar(signalScale))).div(new Scalar(noiseScale));
    }

    @Override
    Tensor minSnrWeight(Tensor snr, Scalar gamma) {
      return snr.clamp_max(gamma);
    }
  };

  private final String published;

  PredictionType(String published) {
    this.published = published;
  }

  /** Returns the name in {@code scheduler_config.json}. */
  public String published() {
    return published;
  }

  /** Returns what the network must predict in training; the scales broadcast over the batch. */
  abstract Tensor target(Tensor clean, Tensor noise, Tensor signalScale, Tensor noiseScale);

  /** Returns the estimate of the clean sample. */
  abstract Tensor clean(Tensor noised, Tensor output, double signalScale, double noiseScale);

  /** Returns the estimate of the noise. */
  abstract Tensor noise(Tensor noised, Tensor output, double signalScale, double noiseScale);

  /**
   * Returns the weight of the squared error that makes it min(SNR, gamma) of the clean sample's.
   */
  abstract Tensor minSnrWeight(Tensor snr, Scalar gamma);
}
