package org.latentspark.latents;

import java.io.Serializable;

/**
 * The shape of a posterior's mean; a row's {@code latent} holds mean and standard deviation,
 * [2*channels, height, width].
 */
public record LatentShape(int channels, int height, int width) implements Serializable {
  /** Returns the number of values in the mean. */
  public int size() {
    return channels * height * width;
  }

  /** Returns the number of bytes of a row's {@code latent}. */
  public int latentBytes() {
    return 2 * size() * 2;
  }
}
