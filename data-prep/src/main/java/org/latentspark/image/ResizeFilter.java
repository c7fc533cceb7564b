package org.latentspark.image;

import com.fasterxml.jackson.annotation.JsonProperty;

/** How an image gets its size. */
public enum ResizeFilter {
  /** Each pixel is the mean of the area it covers, as OpenCV's {@code INTER_AREA} has it. */
  @JsonProperty("area")
  AREA,
  /** Sharper, and slower: Pillow's {@code LANCZOS}. */
  @JsonProperty("lanczos")
  LANCZOS
}
