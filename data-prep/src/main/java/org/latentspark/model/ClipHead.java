package org.latentspark.model;

/** What a CLIP tower ends in. */
public enum ClipHead {
  /** The tower alone, as transformers' CLIPTextModel and CLIPVisionModel. */
  NONE,
  /**
   * A linear projection into the space that text and images share, as CLIPTextModelWithProjection
   * and CLIPVisionModelWithProjection.
   */
  PROJECTION
}
