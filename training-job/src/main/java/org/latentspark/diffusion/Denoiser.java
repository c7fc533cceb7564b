package org.latentspark.diffusion;

import org.bytedeco.pytorch.Tensor;

/** A network that predicts, as trained, from noised samples at one step. */
@FunctionalInterface
public interface Denoiser {
  /** Returns the prediction [B, C, h, w] for {@code noised} [B, C, h, w] at step {@code t}. */
  Tensor predict(Tensor noised, int t);
}
