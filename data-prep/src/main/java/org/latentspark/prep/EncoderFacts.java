package org.latentspark.prep;

import java.io.Serializable;
import java.util.SortedMap;
import org.latentspark.latents.LatentKind;
import org.latentspark.latents.LatentShape;

/**
 * What a dataset's manifest says of the encoders.
 *
 * @param sha256 of the weights or files of each part, by the part's name
 * @param latentShape of the latents of images of the configured size
 * @param latentKind what the rows' latents hold
 * @param scalingFactor the autoencoder's
 * @param tokens tokens of a caption
 * @param dim width of the text embedding
 */
record EncoderFacts(
    SortedMap<String, String> sha256,
    LatentShape latentShape,
    LatentKind latentKind,
    double scalingFactor,
    int tokens,
    int dim)
    implements Serializable {

  /** Returns about how many bytes a row takes. */
  long rowBytes() {
    return latentKind.bytes(latentShape) + 2L * tokens * dim + 4L * tokens + 500;
  }
}
