package org.latentspark.image;

import org.latentspark.filter.RejectReason;
import org.latentspark.filter.RejectedException;

/**
 * What an image's header says, read without decoding it; the file is known to reach the image's
 * end.
 *
 * <p>A decoder believes the header and allocates what it asks for, so that it is read and judged
 * first. Decoders also take some files that end too early, and fill the rest with grey.
 *
 * @param format by the first bytes
 * @param width columns, before any EXIF orientation
 * @param height rows, before any EXIF orientation
 */
record ImageHeader(ImageFormat format, int width, int height) {

  /** Reads the header of {@code file} and walks its structure to the end. */
  static ImageHeader read(byte[] file) {
    ImageFormat format =
        ImageFormat.of(file)
            .orElseThrow(
                () ->
                    ImageFormat.unsupported(file)
                        .map(name -> new RejectedException(RejectReason.UNSUPPORTED_FORMAT, name))
                        .orElseGet(
                            () ->
                                new RejectedException(
                                    RejectReason.NOT_AN_IMAGE, "starts with " + start(file))));
    ImageHeader header;
    try {
      header =
          switch (format) {
            case JPEG -> JpegWalk.read(file);
            case PNG -> png(file);
            case WEBP -> webp(file);
            case GIF -> gif(file);
          };
    } catch (ArrayIndexOutOfBoundsException e) {
      // Every walk steps from length to length: one that leads out of the file was cut off.
      throw truncated(format);
    }
    if (header.width < 1 || header.height < 1) {
      throw new RejectedException(
          RejectReason.UNDECODABLE, "header says %dx%d".formatted(header.width, header.height));
    }
    return header;
  }

  static RejectedException truncated(ImageFormat format) {
    return new RejectedException(RejectReason.TRUNCATED, format + " ends too early");
  }

  static int bigEndian16(byte[] file, int at) {
    return (file[at] & 0xff) << 8 | (file[at + 1] & 0xff);
  }

  private static int bigEndian32(byte[] file, int at) {
    return bigEndian16(file, at) << 16 | bigEndian16(file, at + 2);
  }

  private static int littleEndian16(byte[] file, int at) {
    return (file[at] & 0xff) | (file[at + 1] & 0xff) << 8;
  }

  private static int littleEndian24(byte[] file, int at) {
    return littleEndian16(file, at) | (file[at + 2] & 0xff) << 16;
  }

  /** Up to 16 bytes, those that are no printable ASCII as a full stop. */
  private static String start(byte[] file) {
    StringBuilder text = new StringBuilder("'");
    for (int i = 0; i < Math.min(16, file.length); i++) {
      text.append(file[i] >= 0x20 && file[i] < 0x7f ? (char) file[i] : '.');
    }
    return text.append("'").toString();
  }

  private static ImageHeader png(byte[] file) {
    int width = bigEndian32(file, 16);
    int height = bigEndian32(file, 20);
    long chunk = 8;
    while (!ImageFormat.startsWith(file, (int) chunk + 4, "IEND")) {
      long length = bigEndian32(file, (int) chunk) & 0xffffffffL;
      chunk += 12 + length;
      if (chunk + 8 > file.length) {
        throw truncated(ImageFormat.PNG);
      }
    }
    return new ImageHeader(ImageFormat.PNG, width, height);
  }

  private static ImageHeader webp(byte[] file) {
    long length = 8 + (littleEndian16(file, 4) | (long) littleEndian16(file, 6) << 16);
    if (length > file.length) {
      throw truncated(ImageFormat.WEBP);
    }
    if (ImageFormat.startsWith(file, 12, "VP8X")) {
      return new ImageHeader(
          ImageFormat.WEBP, 1 + littleEndian24(file, 24), 1 + littleEndian24(file, 27));
    }
    if (ImageFormat.startsWith(file, 12, "VP8L")) {
      int low = littleEndian16(file, 21);
      int high = littleEndian16(file, 23);
      return new ImageHeader(
          ImageFormat.WEBP, 1 + (low & 0x3fff), 1 + ((low >>> 14 | high << 2) & 0x3fff));
    }
    if (ImageFormat.startsWith(file, 12, "VP8 ")) {
      return new ImageHeader(
          ImageFormat.WEBP, littleEndian16(file, 26) & 0x3fff, littleEndian16(file, 28) & 0x3fff);
    }
    throw new RejectedException(RejectReason.UNDECODABLE, "WebP without a frame");
  }

  /** Walks to the end of the first frame; the others are not looked at. */
  private static ImageHeader gif(byte[] file) {
    ImageHeader header =
        new ImageHeader(ImageFormat.GIF, littleEndian16(file, 6), littleEndian16(file, 8));
    int at = 13 + colours(file[10]);
    while (true) {
      switch (file[at]) {
        case 0x21 -> at = blocks(file, at + 2);
        case 0x2c -> {
          blocks(file, at + 11 + colours(file[at + 9]));
          return header;
        }
        default -> throw new RejectedException(RejectReason.UNDECODABLE, "GIF without a frame");
      }
    }
  }

  private static int colours(byte flags) {
    return (flags & 0x80) == 0 ? 0 : 3 << ((flags & 7) + 1);
  }

  private static int blocks(byte[] file, int start) {
    int at = start;
    while (file[at] != 0) {
      at += 1 + (file[at] & 0xff);
    }
    return at + 1;
  }
}
