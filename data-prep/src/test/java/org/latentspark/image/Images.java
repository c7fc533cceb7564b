package org.latentspark.image;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.opencv.global.opencv_core;
import org.bytedeco.opencv.global.opencv_imgcodecs;
import org.bytedeco.opencv.opencv_core.Mat;

/** Makes image files for tests. */
public final class Images {
  private Images() {}

  /** A colour for each point. */
  public interface Painter {
    /** Returns red, green and blue as 0xRRGGBB, or with alpha in front as 0xAARRGGBB. */
    int at(int x, int y);
  }

  /** Encodes a picture of 8-bit RGB. */
  public static byte[] encode(String extension, int width, int height, Painter painter) {
    return encode(extension, width, height, 3, painter);
  }

  /** Encodes a picture of 3 (RGB) or 4 (RGBA) channels. */
  public static byte[] encode(
      String extension, int width, int height, int channels, Painter painter) {
    byte[] pixels = new byte[width * height * channels];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        int colour = painter.at(x, y);
        for (int channel = 0; channel < channels; channel++) {
          pixels[(y * width + x) * channels + channel] = (byte) (colour >>> 8 * channel);
        }
      }
    }
    return encode(
        extension,
        () ->
            new Mat(
                height,
                width,
                opencv_core.CV_MAKETYPE(opencv_core.CV_8U, channels),
                new BytePointer(pixels)));
  }

  /** Encodes any matrix. */
  public static byte[] encode(String extension, java.util.function.Supplier<Mat> image) {
    try (PointerScope scope = new PointerScope()) {
      BytePointer file = new BytePointer();
      IntPointer quality = new IntPointer(opencv_imgcodecs.IMWRITE_JPEG_QUALITY, 95);
      if (!opencv_imgcodecs.imencode(
          extension, image.get(), file, extension.equals(".jpg") ? quality : new IntPointer(0L))) {
        throw new IllegalStateException("cannot encode " + extension);
      }
      byte[] bytes = new byte[Math.toIntExact(file.limit())];
      file.get(bytes);
      return bytes;
    }
  }

  /** A smooth picture that differs for each seed. */
  public static byte[] jpeg(int width, int height, int seed) {
    return encode(
        ".jpg",
        width,
        height,
        (x, y) ->
            (37 * seed + 255 * x / width & 0xff) << 16
                | (91 * seed + 255 * y / height & 0xff) << 8
                | (53 * seed & 0xff));
  }

  /** A PNG whose header claims a size, with little behind it. */
  public static byte[] pngHeader(int width, int height) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'});
    chunk(
        out,
        "IHDR",
        ByteBuffer.allocate(13)
            .putInt(width)
            .putInt(height)
            .put(new byte[] {8, 2, 0, 0, 0})
            .array());
    chunk(out, "IDAT", new byte[100]);
    chunk(out, "IEND", new byte[0]);
    return out.toByteArray();
  }

  private static void chunk(ByteArrayOutputStream out, String type, byte[] data) {
    CRC32 crc = new CRC32();
    byte[] name = type.getBytes(StandardCharsets.US_ASCII);
    crc.update(name);
    crc.update(data);
    out.writeBytes(ByteBuffer.allocate(4).putInt(data.length).array());
    out.writeBytes(name);
    out.writeBytes(data);
    out.writeBytes(ByteBuffer.allocate(4).putInt((int) crc.getValue()).array());
  }

  /** Puts an EXIF segment with an orientation (1 to 8) into a JPEG file. */
  public static byte[] oriented(byte[] jpeg, int orientation) {
    byte[] exif = {
      (byte) 0xff,
      (byte) 0xe1,
      0,
      34,
      'E',
      'x',
      'i',
      'f',
      0,
      0,
      'M',
      'M',
      0,
      42,
      0,
      0,
      0,
      8,
      0,
      1,
      0x01,
      0x12,
      0,
      3,
      0,
      0,
      0,
      1,
      0,
      (byte) orientation,
      0,
      0,
      0,
      0,
      0,
      0
    };
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(jpeg, 0, 2);
    out.writeBytes(exif);
    out.write(jpeg, 2, jpeg.length - 2);
    return out.toByteArray();
  }
}
