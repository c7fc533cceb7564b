package org.latentspark.pairs;

/**
 * Where in a file system an image is stored.
 *
 * @param path the file, with its scheme
 * @param offset first byte of the image in the file
 * @param length bytes of the image, or {@link #TO_THE_END}
 */
public record ImageLocation(String path, long offset, long length) {
  /** The length of an image that fills its file from the offset on. */
  public static final long TO_THE_END = -1;

  /** Returns the location of an image that is a file of its own. */
  static ImageLocation ofFile(String path) {
    return new ImageLocation(path, 0, TO_THE_END);
  }

  /** Returns the location in {@code text}, which {@link #toString} has made. */
  public static ImageLocation parse(String text) {
    String[] parts = text.split(":", 3);
    return new ImageLocation(parts[2], Long.parseLong(parts[0]), Long.parseLong(parts[1]));
  }

  /** Returns whether {@code name} may lead elsewhere than below what it is relative to. */
  static boolean leadsOut(String name) {
    return name.startsWith("/")
        || name.contains("\\")
        || name.matches("[A-Za-z][A-Za-z0-9+.-]*:.*")
        || ("/" + name + "/").contains("/../");
  }

  @Override
  public String toString() {
    return offset + ":" + length + ":" + path;
  }
}
