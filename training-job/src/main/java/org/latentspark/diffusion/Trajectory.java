package org.latentspark.diffusion;

import java.util.function.Supplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/** The walk that all samplers share: predict, then go to the next of the visited steps. */
final class Trajectory {
  /** How a sampler gets from one visited step to the next. */
  interface Rule {
    /**
     * Goes one step on.
     *
     * @param index of the step among the visited ones
     * @param noised where the trajectory is, [B, C, h, w]
     * @param output the network's prediction there
     * @param fresh draws standard normal noise of the same shape
     */
    Tensor next(int index, Tensor noised, Tensor output, Supplier<Tensor> fresh);
  }

  private Trajectory() {}

  /** Follows a rule from noise to the end. */
  static Tensor follow(
      int[] timesteps, Rule rule, Denoiser denoiser, NoiseSource noise, Tensor place) {
    Tensor current = placed(noise.draw(0), place).clone();
    for (int i = 0; i < timesteps.length; i++) {
      int index = i;
      try (PointerScope scope = new PointerScope();
          NoGradGuard guard = new NoGradGuard()) {
        Tensor output = denoiser.predict(current, timesteps[index]);
        current.copy_(
            rule.next(index, current, output, () -> placed(noise.draw(index + 1), place)));
      }
    }
    return current;
  }

  private static Tensor placed(Tensor drawn, Tensor place) {
    return drawn.to(place.device(), place.scalar_type());
  }
}
