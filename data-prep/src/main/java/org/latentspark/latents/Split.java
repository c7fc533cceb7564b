package org.latentspark.latents;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Locale;

/** The part of a dataset that a pair belongs to. */
public enum Split {
  /** Pairs that the model is fitted to. */
  TRAIN,
  /** Pairs held out for the validation loss. */
  VALIDATION;

  /**
   * Returns the split of the pair with {@code key}: held out with probability {@code
   * validationShare}, by a hash of the key and the seed, so that a pair keeps its split whatever
   * else the dataset holds.
   */
  public static Split of(String key, double validationShare, long seed) {
    MessageDigest digest = Digests.sha256();
    digest.update(("split:" + seed + ":" + key).getBytes(StandardCharsets.UTF_8));
    long top53 = ByteBuffer.wrap(digest.digest()).getLong() >>> 11;
    return top53 * 0x1p-53 < validationShare ? VALIDATION : TRAIN;
  }

  /** Returns the name used in files: {@code train} or {@code validation}. */
  public String code() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Returns the split with the name {@code code}. */
  public static Split ofCode(String code) {
    for (Split split : values()) {
      if (split.code().equals(code)) {
        return split;
      }
    }
    throw new IllegalArgumentException("split must be train or validation, not " + code);
  }
}
