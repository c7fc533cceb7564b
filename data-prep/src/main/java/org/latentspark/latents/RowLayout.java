package org.latentspark.latents;

import java.io.Serializable;
import java.util.List;
import java.util.Optional;
import org.latentspark.cli.InputException;

/**
 * What the latents of a dataset's rows look like.
 *
 * @param kind what a latent holds
 * @param shape of the latents where there are no buckets; with buckets none has more values
 * @param buckets the shapes that pictures are encoded in; empty where all have one
 * @param flip whether rows have a second latent, of the mirrored picture
 */
public record RowLayout(LatentKind kind, LatentShape shape, List<Bucket> buckets, Flip flip)
    implements Serializable {

  /** Describes rows whose latents have one shape, one latent a row. */
  public static RowLayout plain(LatentKind kind, LatentShape shape) {
    return new RowLayout(kind, shape, List.of(), Flip.NONE);
  }

  /** Returns the bucket of a picture of these columns and rows; none where there are no buckets. */
  public Optional<Bucket> bucket(int width, int height) {
    return buckets.stream()
        .filter(bucket -> bucket.width() == width && bucket.height() == height)
        .findFirst();
  }

  /**
   * Returns the shape of the latent of {@code pair}.
   *
   * @throws InputException if the pair is in a bucket that is none of these
   */
  public LatentShape shape(EncodedPair pair) {
    if (buckets.isEmpty()) {
      return shape;
    }
    return bucket(pair.bucketWidth(), pair.bucketHeight())
        .orElseThrow(() -> new InputException("pair " + pair.key() + ": " + noBucket(pair)))
        .latent();
  }

  /** Returns the most bytes that the latents of a row have. */
  public int mostBytes() {
    return flip.encodings() * kind.bytes(shape);
  }

  /** Returns what is wrong with the latents of {@code pair}, apart from their values. */
  Optional<String> fault(EncodedPair pair) {
    LatentShape expected = shape;
    if (!buckets.isEmpty()) {
      Optional<Bucket> bucket = bucket(pair.bucketWidth(), pair.bucketHeight());
      if (bucket.isEmpty()) {
        return Optional.of(noBucket(pair));
      }
      expected = bucket.get().latent();
    }
    int bytes = kind.bytes(expected);
    if (pair.latent().length != bytes) {
      return Optional.of(
          "latent has %d bytes, must have %d".formatted(pair.latent().length, bytes));
    }
    int flipped = pair.flippedLatent() == null ? 0 : pair.flippedLatent().length;
    int flippedBytes = flip == Flip.BOTH ? bytes : 0;
    return flipped == flippedBytes
        ? Optional.empty()
        : Optional.of("flipped_latent has %d bytes, must have %d".formatted(flipped, flippedBytes));
  }

  private String noBucket(EncodedPair pair) {
    return "bucket is %s, must be one of %s"
        .formatted(
            Bucket.code(pair.bucketWidth(), pair.bucketHeight()),
            buckets.stream().map(Bucket::code).toList());
  }
}
