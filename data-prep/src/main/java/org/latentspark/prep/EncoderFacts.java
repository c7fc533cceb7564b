package org.latentspark.prep;

import java.io.Serializable;
import java.util.SortedMap;
import org.latentspark.latents.RowLayout;

/**
 * What a dataset's manifest says of the encoders.
 *
 * @param sha256 of the weights or files of each part, by the part's name
 * @param layout what the rows' latents look like
 * @param scalingFactor the autoencoder's
 * @param tokens tokens of a caption
 * @param dim width of the text embedding
 */
record EncoderFacts(
    SortedMap<String, String> sha256, RowLayout layout, double scalingFactor, int tokens, int dim)
    implements Serializable {

  /** Returns about how many bytes a row takes. */
  long rowBytes() {
    return layout.mostBytes() + 2L * tokens * dim + 4L * tokens + 500;
  }
}
