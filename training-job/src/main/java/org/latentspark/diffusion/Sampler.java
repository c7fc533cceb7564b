package org.latentspark.diffusion;

import org.bytedeco.pytorch.Tensor;

/** Leads from noise to samples over some of the trained steps. */
public interface Sampler {
  /** Returns the steps at which the network is asked, noisiest first. */
  int[] timesteps();

  /**
   * Draws a batch.
   *
   * @param denoiser asked once at each of the {@link #timesteps}
   * @param noise its draw 0 is the start, its draw i + 1 the fresh noise of the i-th step, where
   *     that step takes any
   * @param place a tensor on the device and of the type to draw with
   * @return the samples, shaped as the noise
   */
  Tensor sample(Denoiser denoiser, NoiseSource noise, Tensor place);
}
