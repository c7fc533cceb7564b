package org.latentspark.latents;

import java.io.Serializable;

/** The shape of a posterior's mean; {@link LatentKind} says what a row's {@code latent} holds. */
public record LatentShape(int channels, int height, int width) implements Serializable {
  /** Returns the number of values in the mean. */
  public int size() {
    return channels * height * width;
  }
}
