package org.latentspark.image;

import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** The image formats that are decoded here, told by their first bytes. */
enum ImageFormat {
  JPEG,
  PNG,
  WEBP,
  GIF;

  private static final byte[] PNG_SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

  /** Returns the format of {@code file}, or nothing if it is none of these. */
  static Optional<ImageFormat> of(byte[] file) {
    if (file.length > 3
        && (file[0] & 0xff) == 0xff
        && (file[1] & 0xff) == 0xd8
        && (file[2] & 0xff) == 0xff) {
      return Optional.of(JPEG);
    }
    if (startsWith(file, 0, PNG_SIGNATURE)) {
      return Optional.of(PNG);
    }
    if (startsWith(file, 0, "RIFF") && startsWith(file, 8, "WEBP")) {
      return Optional.of(WEBP);
    }
    if (startsWith(file, 0, "GIF87a") || startsWith(file, 0, "GIF89a")) {
      return Optional.of(GIF);
    }
    return Optional.empty();
  }

  /** Returns the name of an image format that is known and not decoded, or nothing. */
  static Optional<String> unsupported(byte[] file) {
    if (startsWith(file, 4, "ftyp")) {
      return Optional.of("AVIF, HEIF or a video");
    }
    if (startsWith(file, 0, "BM")) {
      return Optional.of("BMP");
    }
    if (startsWith(file, 0, "II*\0") || startsWith(file, 0, "MM\0*")) {
      return Optional.of("TIFF");
    }
    if (startsWith(file, 0, "\0\0\1\0")) {
      return Optional.of("ICO");
    }
    if (startsWith(file, 0, "8BPS")) {
      return Optional.of("PSD");
    }
    if (startsWith(file, 0, "\0\0\0\fJXL ") || startsWith(file, 0, "\u00ff\n")) {
      return Optional.of("JPEG XL");
    }
    if (startsWith(file, 0, "\0\0\0\fjP  ")) {
      return Optional.of("JPEG 2000");
    }
    String start = new String(file, 0, Math.min(file.length, 512), StandardCharsets.ISO_8859_1);
    return start.contains("<svg") ? Optional.of("SVG") : Optional.empty();
  }

  static boolean startsWith(byte[] file, int offset, String prefix) {
    return startsWith(file, offset, prefix.getBytes(StandardCharsets.ISO_8859_1));
  }

  private static boolean startsWith(byte[] file, int offset, byte[] prefix) {
    if (file.length < offset + prefix.length) {
      return false;
    }
    for (int i = 0; i < prefix.length; i++) {
      if (file[offset + i] != prefix[i]) {
        return false;
      }
    }
    return true;
  }
}
