package org.latentspark.latents;

import org.latentspark.cli.Settings;

/** What a row's latent holds. */
public enum LatentKind {
  /** [2C,h,w]: the posterior's mean, then its standard deviation. */
  MEAN_STD,
  /** [C,h,w]: one sample of the posterior. */
  SAMPLE;

  /** Returns the name used in manifests: {@code mean-std} or {@code sample}. */
  public String code() {
    return Settings.kebab(this);
  }

  /** Returns the number of bytes of a latent of {@code shape}, fp16. */
  public int bytes(LatentShape shape) {
    return (this == MEAN_STD ? 2 : 1) * shape.size() * 2;
  }

  /** Returns the kind with the name {@code code}. */
  public static LatentKind ofCode(String code) {
    for (LatentKind kind : values()) {
      if (kind.code().equals(code)) {
        return kind;
      }
    }
    throw new IllegalArgumentException("latent kind must be mean-std or sample, not " + code);
  }
}
