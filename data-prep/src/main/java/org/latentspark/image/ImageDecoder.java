package org.latentspark.image;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.opencv.global.opencv_core;
import org.bytedeco.opencv.global.opencv_imgcodecs;
import org.bytedeco.opencv.global.opencv_imgproc;
import org.bytedeco.opencv.opencv_core.Mat;
import org.bytedeco.opencv.opencv_core.Rect;
import org.bytedeco.opencv.opencv_core.Size;
import org.latentspark.filter.RejectReason;
import org.latentspark.filter.RejectedException;
import org.latentspark.latents.Crop;

/**
 * Decodes an image file, turns it upright, lays it on white, cuts out the central square and
 * resizes it; safe for use by several threads.
 */
public final class ImageDecoder {
  static {
    // Tasks run side by side already.
    opencv_core.setNumThreads(1);
  }

  private final ImageSettings settings;

  /** Creates a decoder. */
  public ImageDecoder(ImageSettings settings) {
    this.settings = settings;
  }

  /**
   * Decodes {@code file}.
   *
   * @throws RejectedException if it is no image, damaged, incomplete or too large
   */
  public SquareImage decode(byte[] file) {
    ImageHeader header = ImageHeader.read(file);
    if ((long) header.width() * header.height() > settings.maxPixels()) {
      throw new RejectedException(
          RejectReason.TOO_MANY_PIXELS,
          "%dx%d, most is %d pixels"
              .formatted(header.width(), header.height(), settings.maxPixels()));
    }
    try (PointerScope scope = new PointerScope()) {
      return square(header, decode(file, header));
    }
  }

  private Mat decode(byte[] file, ImageHeader header) {
    int flags =
        header.format() == ImageFormat.JPEG
            ? jpegFlags(header)
            // Alpha is lost in all but the unchanged mode; these formats carry no orientation.
            : opencv_imgcodecs.IMREAD_UNCHANGED;
    Mat image;
    try {
      Mat bytes = new Mat(1, file.length, opencv_core.CV_8UC1, new BytePointer(file));
      image = opencv_imgcodecs.imdecode(bytes, flags);
    } catch (RuntimeException e) {
      throw new RejectedException(
          RejectReason.UNDECODABLE, header.format() + ": " + e.getMessage());
    }
    if (image.empty()) {
      throw new RejectedException(RejectReason.UNDECODABLE, header.format() + " is damaged");
    }
    return image;
  }

  /**
   * A JPEG can be decoded at a half, a quarter or an eighth of its size, which costs as much less;
   * what remains is still larger than what is asked for.
   */
  private int jpegFlags(ImageHeader header) {
    int shorter = Math.min(header.width(), header.height());
    if (shorter >= 16 * settings.size()) {
      return opencv_imgcodecs.IMREAD_REDUCED_COLOR_8;
    }
    if (shorter >= 8 * settings.size()) {
      return opencv_imgcodecs.IMREAD_REDUCED_COLOR_4;
    }
    return shorter >= 4 * settings.size()
        ? opencv_imgcodecs.IMREAD_REDUCED_COLOR_2
        : opencv_imgcodecs.IMREAD_COLOR;
  }

  private SquareImage square(ImageHeader header, Mat image) {
    boolean turned =
        Integer.signum(image.cols() - image.rows())
            == -Integer.signum(header.width() - header.height());
    int width = turned ? header.height() : header.width();
    int height = turned ? header.width() : header.height();
    int side = Math.min(width, height);
    Crop crop = new Crop((width - side) / 2, (height - side) / 2, side, side);

    int cut = Math.min(image.cols(), image.rows());
    Mat central =
        image.apply(new Rect((image.cols() - cut) / 2, (image.rows() - cut) / 2, cut, cut));
    int size = settings.size();
    Mat resized = new Mat();
    opencv_imgproc.resize(
        Pixels.onWhite(central),
        resized,
        new Size(size, size),
        0,
        0,
        cut >= size ? opencv_imgproc.INTER_AREA : opencv_imgproc.INTER_CUBIC);
    Mat rgb = new Mat();
    opencv_imgproc.cvtColor(resized, rgb, opencv_imgproc.COLOR_BGR2RGB);
    byte[] bytes = new byte[size * size * 3];
    rgb.data().get(bytes);
    return new SquareImage(bytes, size, width, height, crop);
  }
}
