package org.latentspark.prep;

/**
 * What the encoders make of a pair; all as {@link org.latentspark.latents.EncodedPair} holds it.
 *
 * @param latent fp16 [2C,h,w], mean and standard deviation
 * @param textEmbedding fp16 [tokens,dim]
 * @param tokenIds [tokens]
 */
@SuppressWarnings("ArrayRecordComponent") // carried to the writer, never compared
record Encoding(byte[] latent, byte[] textEmbedding, int[] tokenIds) {}
