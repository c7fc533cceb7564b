package org.latentspark.pairs;

import java.io.EOFException;
import java.io.IOException;
import java.util.Set;
import org.apache.commons.compress.archivers.tar.TarUtils;
import org.apache.hadoop.fs.FSDataInputStream;

/** Looks at the blocks of an archive before the library does, which believes what they say. */
final class TarHeaders {
  static final int BLOCK = 512;

  /** The library reads long names and PAX records into memory. */
  private static final long MAX_EXTENSION = 1 << 20;

  /** GNU long name and long link; PAX records, for the next entry and for all. */
  private static final Set<Byte> EXTENSIONS =
      Set.of((byte) 'L', (byte) 'K', (byte) 'x', (byte) 'X', (byte) 'g');

  private static final int SIZE_OFFSET = 124;
  private static final int SIZE_LENGTH = 12;
  private static final int TYPE_OFFSET = 156;

  private final FSDataInputStream in;
  private final long length;

  TarHeaders(FSDataInputStream in, long length) {
    this.in = in;
    this.length = length;
  }

  /** Returns the block at {@code position}, or null if the file ends before its end. */
  byte[] block(long position) throws IOException {
    if (position + BLOCK > length) {
      return null;
    }
    byte[] block = new byte[BLOCK];
    in.seek(position);
    in.readFully(block);
    return block;
  }

  /** Throws if a header from {@code position} on is damaged or asks for too much memory. */
  void requireSound(long position) throws IOException {
    long at = position;
    while (true) {
      byte[] header = block(at);
      if (header == null) {
        throw new EOFException("the archive ends within a header");
      }
      if (!TarUtils.verifyCheckSum(header)) {
        throw new IOException("the header's checksum is wrong");
      }
      long size = TarUtils.parseOctalOrBinary(header, SIZE_OFFSET, SIZE_LENGTH);
      if (!EXTENSIONS.contains(header[TYPE_OFFSET])) {
        return;
      }
      if (size < 0 || size > MAX_EXTENSION) {
        throw new IOException("the header has an extension of %d bytes".formatted(size));
      }
      at += BLOCK + padded(size);
    }
  }

  /** Returns where from {@code position} on the next valid header is, or nothing is left. */
  long next(long position) throws IOException {
    long at = position;
    for (byte[] block = block(at); block != null; block = block(at)) {
      boolean magic = block[257] == 'u' && block[258] == 's' && block[259] == 't';
      if (magic && TarUtils.verifyCheckSum(block)) {
        return at;
      }
      at += BLOCK;
    }
    return length;
  }

  static long padded(long size) {
    return (size + BLOCK - 1) / BLOCK * BLOCK;
  }
}
