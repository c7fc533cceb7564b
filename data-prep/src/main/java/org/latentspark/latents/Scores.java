package org.latentspark.latents;

/**
 * The scores that LAION-style metadata carries for a pair; each may be null.
 *
 * @param similarity CLIP cosine similarity of image and caption
 * @param punsafe probability that the image is unsafe
 * @param pwatermark probability that the image carries a watermark
 * @param aesthetic predicted aesthetic rating, about 1 to 10
 */
public record Scores(Double similarity, Double punsafe, Double pwatermark, Double aesthetic) {
  /** No score known. */
  public static final Scores NONE = new Scores(null, null, null, null);
}
