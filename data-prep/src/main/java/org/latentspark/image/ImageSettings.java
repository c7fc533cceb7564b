package org.latentspark.image;

import java.io.Serializable;
import org.latentspark.cli.Settings;

/**
 * What becomes of an image.
 *
 * @param size columns and rows of the square that is encoded
 * @param maxPixels most pixels that are decoded
 */
public record ImageSettings(int size, long maxPixels) implements Serializable {
  /** Reads the keys {@code image.*}. */
  public static ImageSettings read(Settings settings) {
    return new ImageSettings(
        settings.integer("image.size", 8, 4096),
        settings.longInteger("image.max-pixels", 64, 1 << 30));
  }
}
