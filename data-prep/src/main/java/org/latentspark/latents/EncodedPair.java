package org.latentspark.latents;

/**
 * One row of an encoded dataset.
 *
 * @param key stable identity of the pair; unique in the dataset
 * @param caption the text
 * @param url where the image came from
 * @param contentSha256 hex SHA-256 of the fetched image file
 * @param perceptualHash hardly differs between images that look the same; null where none was asked
 *     for
 * @param width columns of the upright source image
 * @param height rows of the upright source image
 * @param crop the part of the source image that was encoded
 * @param bucketWidth columns of the image as the encoder saw it
 * @param bucketHeight rows of the image as the encoder saw it
 * @param scores what the metadata says about the pair
 * @param split train or validation
 * @param latent fp16 little-endian, as the manifest's {@link LatentKind} says: [2C,h,w], C channels
 *     of the posterior's mean, then C of its standard deviation, or [C,h,w], a sample; not
 *     multiplied by the scaling factor
 * @param flippedLatent the same of the image mirrored left to right; null where the dataset has but
 *     one encoding a row
 * @param textEmbedding fp16 little-endian [tokens,dim]: the text encoder's last hidden states
 * @param tokenIds [tokens], padded as the tokenizer pads
 */
@SuppressWarnings("ArrayRecordComponent") // rows are carried, never compared
public record EncodedPair(
    String key,
    String caption,
    String url,
    String contentSha256,
    Long perceptualHash,
    int width,
    int height,
    Crop crop,
    int bucketWidth,
    int bucketHeight,
    Scores scores,
    Split split,
    byte[] latent,
    byte[] flippedLatent,
    byte[] textEmbedding,
    int[] tokenIds) {

  /** Describes a pair with one encoding. */
  public EncodedPair(
      String key,
      String caption,
      String url,
      String contentSha256,
      Long perceptualHash,
      int width,
      int height,
      Crop crop,
      int bucketWidth,
      int bucketHeight,
      Scores scores,
      Split split,
      byte[] latent,
      byte[] textEmbedding,
      int[] tokenIds) {
    this(
        key,
        caption,
        url,
        contentSha256,
        perceptualHash,
        width,
        height,
        crop,
        bucketWidth,
        bucketHeight,
        scores,
        split,
        latent,
        null,
        textEmbedding,
        tokenIds);
  }
}
