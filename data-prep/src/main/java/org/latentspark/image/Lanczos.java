package org.latentspark.image;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.opencv.global.opencv_core;
import org.bytedeco.opencv.opencv_core.Mat;

/**
 * Resizes by a Lanczos window of three lobes, which widens with the scale when an image is reduced,
 * so that nothing aliases: first each row, then each column, in fixed point with the value rounded
 * to a byte in between, as Pillow's {@code LANCZOS} does. OpenCV's filter of that name does not
 * widen.
 */
final class Lanczos {
  private static final int LOBES = 3;
  private static final int CHANNELS = 3;

  /** Bits behind the point: a weight of up to 2 and a byte leave as many of 32. */
  private static final int BITS = 22;

  private Lanczos() {}

  /**
   * What one output value is made of: {@code weights.length} input values from {@code first} on.
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Taps(int first, int[] weights) {
    static Taps[] of(int from, int to) {
      double scale = (double) from / to;
      double stretch = Math.max(1, scale);
      Taps[] taps = new Taps[to];
      for (int place = 0; place < to; place++) {
        double centre = (place + 0.5) * scale;
        int first = Math.max(0, (int) (centre - LOBES * stretch + 0.5));
        int end = Math.min(from, (int) (centre + LOBES * stretch + 0.5));
        double[] values = new double[end - first];
        double sum = 0;
        for (int i = 0; i < values.length; i++) {
          values[i] = window((first + i + 0.5 - centre) / stretch);
          sum += values[i];
        }
        int[] weights = new int[values.length];
        for (int i = 0; i < weights.length; i++) {
          double weight = values[i] / sum * (1 << BITS);
          weights[i] = (int) (weight < 0 ? weight - 0.5 : weight + 0.5);
        }
        taps[place] = new Taps(first, weights);
      }
      return taps;
    }

    private static double window(double x) {
      return Math.abs(x) < LOBES ? sinc(x) * sinc(x / LOBES) : 0;
    }

    private static double sinc(double x) {
      return x == 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    }
  }

  /** Returns {@code image}, of three bytes a pixel, with other columns and rows. */
  static Mat resize(Mat image, int width, int height) {
    byte[][] narrowed = new byte[image.rows()][];
    Taps[] across = Taps.of(image.cols(), width);
    byte[] row = new byte[image.cols() * CHANNELS];
    for (int y = 0; y < narrowed.length; y++) {
      image.ptr(y).get(row);
      narrowed[y] = along(row, across);
    }
    Mat result = new Mat(height, width, opencv_core.CV_8UC3);
    Taps[] down = Taps.of(image.rows(), height);
    for (int y = 0; y < height; y++) {
      BytePointer target = result.ptr(y);
      target.put(combined(narrowed, down[y]));
    }
    return result;
  }

  private static byte[] along(byte[] row, Taps[] across) {
    byte[] result = new byte[across.length * CHANNELS];
    for (int x = 0; x < across.length; x++) {
      int[] weights = across[x].weights();
      int at = across[x].first() * CHANNELS;
      int first = 1 << BITS - 1;
      int second = first;
      int third = first;
      for (int weight : weights) {
        first += weight * (row[at] & 0xff);
        second += weight * (row[at + 1] & 0xff);
        third += weight * (row[at + 2] & 0xff);
        at += CHANNELS;
      }
      result[x * CHANNELS] = rounded(first);
      result[x * CHANNELS + 1] = rounded(second);
      result[x * CHANNELS + 2] = rounded(third);
    }
    return result;
  }

  private static byte[] combined(byte[][] rows, Taps taps) {
    int[] sums = new int[rows[0].length];
    java.util.Arrays.fill(sums, 1 << BITS - 1);
    for (int i = 0; i < taps.weights().length; i++) {
      int weight = taps.weights()[i];
      byte[] row = rows[taps.first() + i];
      for (int x = 0; x < sums.length; x++) {
        sums[x] += weight * (row[x] & 0xff);
      }
    }
    byte[] result = new byte[sums.length];
    for (int x = 0; x < sums.length; x++) {
      result[x] = rounded(sums[x]);
    }
    return result;
  }

  private static byte rounded(int sum) {
    return (byte) Math.max(0, Math.min(255, sum >> BITS));
  }
}
