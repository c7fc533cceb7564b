package org.latentspark.image;

import java.io.Serializable;
import org.latentspark.cli.Settings;
import org.latentspark.latents.Flip;

/**
 * What becomes of an image.
 *
 * @param size columns and rows of the square that is encoded, or of the square bucket
 * @param maxPixels most pixels that are decoded
 * @param buckets the shapes that images are cut to
 * @param flip whether the mirrored image is encoded, too
 * @param resize how an image gets its size
 */
public record ImageSettings(
    int size, long maxPixels, Buckets buckets, Flip flip, ResizeFilter resize)
    implements Serializable {
  /** What {@code image.buckets} may be. */
  enum BucketChoice {
    /** The central square. */
    NONE,
    /** The shape whose aspect ratio is nearest. */
    ASPECT
  }

  /** Cuts out the central square and resizes it by area. */
  public ImageSettings(int size, long maxPixels) {
    this(size, maxPixels, Buckets.square(size), Flip.NONE, ResizeFilter.AREA);
  }

  /** Reads the keys {@code image.*}. */
  public static ImageSettings read(Settings settings) {
    int size = settings.integer("image.size", 8, 4096);
    return new ImageSettings(
        size,
        settings.longInteger("image.max-pixels", 64, 1 << 30),
        buckets(settings, size),
        settings.oneOf("image.flip", Flip.class),
        settings.oneOf("image.resize", ResizeFilter.class));
  }

  private static Buckets buckets(Settings settings, int size) {
    BucketChoice choice = settings.oneOf("image.buckets", BucketChoice.class);
    int step = settings.integer("image.bucket-step", 1, 4096);
    double maxAspect = settings.number("image.bucket-max-aspect", 1, 8);
    if (choice == BucketChoice.NONE) {
      return Buckets.square(size);
    }
    if (size % step != 0) {
      settings.refuse("image.bucket-step", "must divide image.size, which is " + size);
    }
    return new Buckets(size, step, maxAspect);
  }
}
