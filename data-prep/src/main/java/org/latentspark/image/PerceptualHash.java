package org.latentspark.image;

/**
 * A number of 64 bits that hardly changes when an image is scaled, recompressed or brightened: the
 * signs of the differences between horizontal neighbours in a 9x8 thumbnail of its luminance
 * (dHash, Krawetz 2013).
 */
public final class PerceptualHash {
  private static final int COLUMNS = 9;
  private static final int ROWS = 8;

  private PerceptualHash() {}

  /** Returns the hash of {@code image}; images alike differ in few bits of it. */
  public static long of(CroppedImage image) {
    double[][] thumbnail = thumbnail(image.rgb(), image.width(), image.height());
    long hash = 0;
    for (double[] row : thumbnail) {
      for (int column = 1; column < COLUMNS; column++) {
        hash = hash << 1 | (row[column - 1] < row[column] ? 1 : 0);
      }
    }
    return hash;
  }

  /** Mean luminance of each cell, cells of whole pixels. */
  private static double[][] thumbnail(byte[] rgb, int width, int height) {
    double[][] cells = new double[ROWS][COLUMNS];
    for (int row = 0; row < ROWS; row++) {
      int top = row * height / ROWS;
      int bottom = Math.max(top + 1, (row + 1) * height / ROWS);
      for (int column = 0; column < COLUMNS; column++) {
        int left = column * width / COLUMNS;
        int right = Math.max(left + 1, (column + 1) * width / COLUMNS);
        long sum = 0;
        for (int y = top; y < bottom; y++) {
          for (int x = left; x < right; x++) {
            sum += luminance(rgb, (y * width + x) * 3);
          }
        }
        cells[row][column] = (double) sum / ((bottom - top) * (right - left));
      }
    }
    return cells;
  }

  /** BT.601, times 1000. */
  private static int luminance(byte[] rgb, int at) {
    return 299 * (rgb[at] & 0xff) + 587 * (rgb[at + 1] & 0xff) + 114 * (rgb[at + 2] & 0xff);
  }
}
