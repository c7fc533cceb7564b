package org.latentspark.diffusion;

import org.bytedeco.pytorch.Tensor;

/** The random part of a trajectory: seeded, or given, so that trajectories can be compared. */
@FunctionalInterface
public interface NoiseSource {
  /** Returns the {@code index}-th draw, standard normal [B, C, h, w]; the same at every call. */
  Tensor draw(int index);
}
