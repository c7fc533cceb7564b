package org.latentspark.latents;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Whether rows hold a second encoding, of the picture mirrored left to right. */
public enum Flip {
  /** One encoding a row. */
  @JsonProperty("none")
  NONE,
  /** Two encodings a row: of the picture, and of it mirrored. */
  @JsonProperty("both")
  BOTH;

  /** Returns how many encodings a row has. */
  public int encodings() {
    return this == BOTH ? 2 : 1;
  }
}
