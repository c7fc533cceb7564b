package org.latentspark.diffusion;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.latentspark.tensor.Tensors;

/** Starts, noise and stand-ins for a network that the tests share with the reference. */
final class Trajectories {
  private static final int SIZE = 64;

  private Trajectories() {}

  /** Draws the k-th noise of fixtures/make_sampler_fixtures.py, [1, 4, 4, 4]. */
  static Tensor noise(int k) {
    float[] values = new float[SIZE];
    for (int i = 0; i < SIZE; i++) {
      long whole = (7919L * i + 104729L * k + 31) % 2001;
      values[i] = (float) ((whole / 1000.0 - 1) * Math.sqrt(3));
    }
    return Tensors.of(values, 1, 4, 4, 4);
  }

  /** The network of fixtures/make_sampler_fixtures.py: x t / (t + 1) + 0.05 sin(3 x). */
  static Tensor predict(Tensor noised, int t) {
    Tensor wave = noised.mul(new Scalar(3)).sin().mul(new Scalar(0.05));
    return golden(noised, t).add(wave);
  }

  /** The betas of the reference that follow no schedule. */
  static List<Double> trainedBetas() {
    List<Double> betas = new ArrayList<>();
    for (int t = 0; t < 1000; t++) {
      betas.add(0.0001 + 0.015 * Math.pow(t / 999.0, 2));
    }
    return Collections.unmodifiableList(betas);
  }

  /** Draws with the start and the network of diffusers' own tests, without fresh noise. */
  static Tensor golden(Sampler sampler) {
    NoiseSource start =
        index -> {
          if (index > 0) {
            throw new AssertionError("draw " + index + " of a deterministic sampler");
          }
          return goldenStart();
        };
    return sampler.sample(Trajectories::golden, start, Tensors.of(new float[1], 1));
  }

  private static Tensor golden(Tensor noised, int t) {
    return noised.mul(new Scalar(t / (t + 1.0)));
  }

  /** 0 to 767 over 768, laid out (3, 8, 8, 4) and permuted to (4, 3, 8, 8). */
  private static Tensor goldenStart() {
    float[] values = new float[768];
    for (int i = 0; i < values.length; i++) {
      values[i] = i / 768f;
    }
    return Tensors.of(values, 3, 8, 8, 4).permute(3, 0, 1, 2);
  }
}
