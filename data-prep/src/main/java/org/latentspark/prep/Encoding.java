package org.latentspark.prep;

import org.latentspark.latents.Fp16;

/**
 * What the encoders make of a pair; all as {@link org.latentspark.latents.EncodedPair} holds it.
 *
 * @param latent fp16 [2C,h,w], mean and standard deviation
 * @param flippedLatent the same of the mirrored image; null where none is asked for
 * @param textEmbedding fp16 [tokens,dim]
 * @param tokenIds [tokens]
 */
@SuppressWarnings("ArrayRecordComponent") // carried to the writer, never compared
record Encoding(byte[] latent, byte[] flippedLatent, byte[] textEmbedding, int[] tokenIds) {
  /** Returns whether all values are finite. */
  boolean isFinite() {
    return Fp16.allFinite(latent)
        && (flippedLatent == null || Fp16.allFinite(flippedLatent))
        && Fp16.allFinite(textEmbedding);
  }
}
