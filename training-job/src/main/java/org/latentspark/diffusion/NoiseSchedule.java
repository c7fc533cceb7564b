package org.latentspark.diffusion;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.latentspark.tensor.Tensors;

/**
 * The forward process: how much of a sample is left, and how much noise is in it, at each step (Ho
 * et al., "Denoising diffusion probabilistic models", 2020).
 *
 * <p>Tensors are fp32 on the CPU; the methods move them to the device of their arguments.
 */
public final class NoiseSchedule {
  private final SchedulerConfig config;
  private final double[] alphaBars;
  private final Tensor signalScales;
  private final Tensor noiseScales;

  /** Computes the schedule in double precision. */
  public NoiseSchedule(SchedulerConfig config) {
    this.config = config;
    this.alphaBars = config.betas().alphaBars();
    int steps = alphaBars.length;
    float[] signal = new float[steps];
    float[] noise = new float[steps];
    for (int t = 0; t < steps; t++) {
      signal[t] = (float) Math.sqrt(alphaBars[t]);
      noise[t] = (float) Math.sqrt(1 - alphaBars[t]);
    }
    try (PointerScope scope = new PointerScope()) {
      this.signalScales = Tensors.of(signal, steps);
      this.noiseScales = Tensors.of(noise, steps);
      // The schedule lives as long as the job.
      signalScales.retainReference();
      noiseScales.retainReference();
    }
  }

  private NoiseSchedule(SchedulerConfig config, NoiseSchedule same) {
    this.config = config;
    this.alphaBars = same.alphaBars;
    this.signalScales = same.signalScales;
    this.noiseScales = same.noiseScales;
  }

  /** Returns this schedule with other steps to visit. */
  public NoiseSchedule spaced(TimestepSpacing spacing) {
    return new NoiseSchedule(config.spaced(spacing), this);
  }

  /** Returns the configuration. */
  public SchedulerConfig config() {
    return config;
  }

  /** Returns the number T of forward steps. */
  public int steps() {
    return alphaBars.length;
  }

  /** Returns alphabar_t, the share of the sample's variance that is left after step {@code t}. */
  public double alphaBar(int t) {
    return alphaBars[t];
  }

  /** Returns the signal-to-noise ratio alphabar_t / (1 - alphabar_t). */
  public double snr(int t) {
    return alphaBars[t] / (1 - alphaBars[t]);
  }

  /** Returns the signal-to-noise ratios [B] of {@code timesteps} int64 [B]. */
  public Tensor snr(Tensor timesteps) {
    Tensor ratio = at(signalScales, timesteps, 1).div(at(noiseScales, timesteps, 1));
    return ratio.mul(ratio);
  }

  /**
   * Draws q(x_t | x_0) in closed form: sqrt(alphabar_t) x_0 + sqrt(1 - alphabar_t) noise.
   *
   * @param clean x_0 [B, ...]
   * @param noise standard normal, shaped as {@code clean}
   * @param timesteps int64 [B]
   */
  public Tensor addNoise(Tensor clean, Tensor noise, Tensor timesteps) {
    long dimensions = clean.dim();
    return clean
        .mul(at(signalScales, timesteps, dimensions))
        .add(noise.mul(at(noiseScales, timesteps, dimensions)));
  }

  /** Returns what the network must predict for the same arguments as {@link #addNoise}. */
  public Tensor target(Tensor clean, Tensor noise, Tensor timesteps) {
    long dimensions = clean.dim();
    return config
        .predictionType()
        .target(
            clean,
            noise,
            at(signalScales, timesteps, dimensions),
            at(noiseScales, timesteps, dimensions));
  }

  /**
   * Returns the weights [B] of the squared errors at {@code timesteps} that count every step as if
   * the clean sample were predicted, with the weight min(SNR, gamma) (Hang et al., "Efficient
   * diffusion training via min-SNR weighting strategy", 2023).
   *
   * @param timesteps int64 [B]
   * @param gamma the bound; 5 in the paper
   */
  public Tensor minSnrWeights(Tensor timesteps, double gamma) {
    return config.predictionType().minSnrWeight(snr(timesteps), new Scalar(gamma));
  }

  private static Tensor at(Tensor table, Tensor timesteps, long dimensions) {
    Tensor values = table.to(timesteps.device(), table.scalar_type()).index_select(0, timesteps);
    for (long dimension = 1; dimension < dimensions; dimension++) {
      values = values.unsqueeze(-1);
    }
    return values;
  }
}
