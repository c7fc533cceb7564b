package org.latentspark.image;

import org.latentspark.filter.RejectReason;
import org.latentspark.filter.RejectedException;

/** Walks the segments of a JPEG file (ITU-T T.81, annex B) from its start to its end marker. */
final class JpegWalk {
  private static final int START_OF_SCAN = 0xda;
  private static final int END_OF_IMAGE = 0xd9;

  private JpegWalk() {}

  /**
   * Returns the header; the end marker was found after it.
   *
   * <p>Looking for the marker at the end of the file would not do: thumbnails inside carry one too,
   * and many complete files have padding behind theirs.
   */
  static ImageHeader read(byte[] file) {
    ImageHeader header = null;
    int at = 2;
    while (true) {
      at = nextMarker(file, at);
      int marker = file[at] & 0xff;
      if (marker == END_OF_IMAGE) {
        break;
      }
      at++;
      if (isFrame(marker) && header == null) {
        header =
            new ImageHeader(
                ImageFormat.JPEG,
                ImageHeader.bigEndian16(file, at + 5),
                ImageHeader.bigEndian16(file, at + 3));
      }
      if (!standsAlone(marker)) {
        at += ImageHeader.bigEndian16(file, at);
      }
      if (marker == START_OF_SCAN) {
        at = endOfScan(file, at);
      }
    }
    if (header == null) {
      throw new RejectedException(RejectReason.UNDECODABLE, "JPEG without a frame header");
    }
    return header;
  }

  /** Returns where the code of the next marker is; fill bytes may stand before it. */
  private static int nextMarker(byte[] file, int start) {
    int at = start;
    if ((file[at] & 0xff) != 0xff) {
      throw new RejectedException(
          RejectReason.UNDECODABLE, "JPEG has no marker at byte %d".formatted(at));
    }
    while ((file[at] & 0xff) == 0xff) {
      at++;
    }
    return at;
  }

  /** Returns where the next marker starts that is neither a stuffed byte nor a restart. */
  private static int endOfScan(byte[] file, int start) {
    int at = start;
    while (true) {
      while ((file[at] & 0xff) != 0xff) {
        at++;
      }
      int code = file[at + 1] & 0xff;
      if (code == 0xff) {
        at++;
      } else if (code == 0 || (code >= 0xd0 && code <= 0xd7)) {
        at += 2;
      } else {
        return at;
      }
    }
  }

  private static boolean isFrame(int marker) {
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
  }

  private static boolean standsAlone(int marker) {
    return marker == 1 || (marker >= 0xd0 && marker <= 0xd8);
  }
}
