package org.latentspark.image;

import java.util.List;
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
import org.latentspark.image.Buckets.Shape;
import org.latentspark.latents.Crop;

/**
 * Decodes an image file, turns it upright, lays it on white, cuts out the central square, or the
 * central part of the nearest aspect ratio, and resizes it; safe for use by several threads.
 */
public final class ImageDecoder {
  static {
    // Tasks run side by side already.
    opencv_core.setNumThreads(1);
  }

  private final ImageSettings settings;
  private final List<Shape> shapes;

  /** Creates a decoder. */
  public ImageDecoder(ImageSettings settings) {
    this.settings = settings;
    this.shapes = settings.buckets().shapes();
  }

  /**
   * Decodes {@code file}.
   *
   * @throws RejectedException if it is no image, damaged, incomplete or too large
   */
  public CroppedImage decode(byte[] file) {
    ImageHeader header = ImageHeader.read(file);
    if ((long) header.width() * header.height() > settings.maxPixels()) {
      throw new RejectedException(
          RejectReason.TOO_MANY_PIXELS,
          "%dx%d, most is %d pixels"
              .formatted(header.width(), header.height(), settings.maxPixels()));
    }
    try (PointerScope scope = new PointerScope()) {
      return cropped(header, decode(file, header));
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
   * what remains has at least the size that is asked for, and twice that for a filter that is asked
   * for its sharpness.
   */
  private int jpegFlags(ImageHeader header) {
    // Upright or not: the shapes lie on either side alike.
    Shape shape = Buckets.nearest(shapes, header.width(), header.height());
    Crop crop = crop(shape, header.width(), header.height());
    int margin = settings.resize() == ResizeFilter.AREA ? 1 : 2;
    int reduction =
        Math.min(
            crop.width() / (margin * shape.width()), crop.height() / (margin * shape.height()));
    // In the order of RGB at once; the flags of grey ones are those of the reduction alone.
    int colour = opencv_imgcodecs.IMREAD_COLOR_RGB;
    if (reduction >= 8) {
      return colour | opencv_imgcodecs.IMREAD_REDUCED_GRAYSCALE_8;
    }
    if (reduction >= 4) {
      return colour | opencv_imgcodecs.IMREAD_REDUCED_GRAYSCALE_4;
    }
    return reduction >= 2 ? colour | opencv_imgcodecs.IMREAD_REDUCED_GRAYSCALE_2 : colour;
  }

  private CroppedImage cropped(ImageHeader header, Mat image) {
    boolean turned =
        Integer.signum(image.cols() - image.rows())
            == -Integer.signum(header.width() - header.height());
    int width = turned ? header.height() : header.width();
    int height = turned ? header.width() : header.height();
    Shape shape = Buckets.nearest(shapes, width, height);
    Crop crop = crop(shape, width, height);
    Mat central = image.apply(scaled(crop, width, height, image));
    Mat resized = resize(Pixels.onWhite(central), shape);
    Mat rgb = resized;
    if (header.format() != ImageFormat.JPEG) {
      rgb = new Mat();
      opencv_imgproc.cvtColor(resized, rgb, opencv_imgproc.COLOR_BGR2RGB);
    }
    byte[] bytes = new byte[shape.width() * shape.height() * 3];
    rgb.data().get(bytes);
    return new CroppedImage(bytes, shape.width(), shape.height(), width, height, crop);
  }

  private Mat resize(Mat image, Shape shape) {
    if (settings.resize() == ResizeFilter.LANCZOS) {
      return Lanczos.resize(image, shape.width(), shape.height());
    }
    Mat resized = new Mat();
    opencv_imgproc.resize(
        image,
        resized,
        new Size(shape.width(), shape.height()),
        0,
        0,
        image.cols() >= shape.width() ? opencv_imgproc.INTER_AREA : opencv_imgproc.INTER_CUBIC);
    return resized;
  }

  /** Returns the largest central part of an image that has the aspect ratio of {@code shape}. */
  private static Crop crop(Shape shape, int width, int height) {
    long across = (long) width * shape.height();
    long down = (long) height * shape.width();
    int keptWidth = across <= down ? width : divided(down, shape.height());
    int keptHeight = across >= down ? height : divided(across, shape.width());
    return new Crop((width - keptWidth) / 2, (height - keptHeight) / 2, keptWidth, keptHeight);
  }

  /** Rounds to the nearest, and to 1 at least. */
  private static int divided(long value, int divisor) {
    return (int) Math.max(1, (2 * value + divisor) / (2L * divisor));
  }

  /** Returns where {@code crop} of an image of such a size lies in its reduced form. */
  private static Rect scaled(Crop crop, int width, int height, Mat reduced) {
    double across = (double) reduced.cols() / width;
    double down = (double) reduced.rows() / height;
    int left = (int) Math.round(crop.left() * across);
    int top = (int) Math.round(crop.top() * down);
    return new Rect(
        left,
        top,
        Math.max(1, Math.min(reduced.cols() - left, (int) Math.round(crop.width() * across))),
        Math.max(1, Math.min(reduced.rows() - top, (int) Math.round(crop.height() * down))));
  }
}
