package org.latentspark.latents;

import java.io.Serializable;

/**
 * A shape that pictures are encoded in.
 *
 * @param width columns of the picture as the encoder sees it
 * @param height rows of it
 * @param latent shape of its posterior's mean
 */
public record Bucket(int width, int height, LatentShape latent) implements Serializable {
  /** Returns the name used in manifests, as in {@code 576x448}. */
  public String code() {
    return code(width, height);
  }

  static String code(int width, int height) {
    return width + "x" + height;
  }
}
