package org.latentspark.image;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.opencv.global.opencv_core;
import org.bytedeco.opencv.global.opencv_imgproc;
import org.bytedeco.opencv.opencv_core.Mat;
import org.latentspark.filter.RejectReason;
import org.latentspark.filter.RejectedException;

/** Turns what decoders return into plain 8-bit BGR. */
final class Pixels {
  private static final int WHITE = 255;

  private Pixels() {}

  /**
   * Returns {@code image}, of any depth and with or without alpha, as 8-bit BGR on white; three
   * channels stay in their order.
   */
  static Mat onWhite(Mat image) {
    Mat bytes = eightBit(image);
    return switch (bytes.channels()) {
      case 1 -> converted(bytes, opencv_imgproc.COLOR_GRAY2BGR);
      case 3 -> bytes;
      case 4 -> compose(bytes);
      default ->
          throw new RejectedException(
              RejectReason.UNDECODABLE, "has " + bytes.channels() + " channels");
    };
  }

  private static Mat eightBit(Mat image) {
    if (image.depth() == opencv_core.CV_8U) {
      return image;
    }
    if (image.depth() != opencv_core.CV_16U) {
      throw new RejectedException(RejectReason.UNDECODABLE, "has values of another kind");
    }
    Mat bytes = new Mat();
    image.convertTo(bytes, opencv_core.CV_8U, 1.0 / 257, 0);
    return bytes;
  }

  private static Mat converted(Mat image, int code) {
    Mat result = new Mat();
    opencv_imgproc.cvtColor(image, result, code);
    return result;
  }

  /** Lays BGRA on white, row by row: an image need not fit into the heap. */
  private static Mat compose(Mat image) {
    Mat result = new Mat(image.rows(), image.cols(), opencv_core.CV_8UC3);
    byte[] from = new byte[image.cols() * 4];
    byte[] to = new byte[image.cols() * 3];
    for (int row = 0; row < image.rows(); row++) {
      BytePointer source = image.ptr(row);
      source.get(from);
      for (int column = 0; column < image.cols(); column++) {
        int alpha = from[4 * column + 3] & 0xff;
        for (int channel = 0; channel < 3; channel++) {
          int value = from[4 * column + channel] & 0xff;
          to[3 * column + channel] = (byte) ((value * alpha + WHITE * (255 - alpha) + 127) / 255);
        }
      }
      result.ptr(row).put(to);
    }
    return result;
  }
}
