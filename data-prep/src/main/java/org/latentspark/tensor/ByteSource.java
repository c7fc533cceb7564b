package org.latentspark.tensor;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/** The bytes of a file that does not change, wherever it lies. */
interface ByteSource extends Closeable {
  /** Maps a local file into memory, and streams one of any other file system. */
  static ByteSource open(Path path, Configuration configuration) throws IOException {
    FileSystem fileSystem = FileSystems.of(path, configuration);
    return fileSystem instanceof RawLocalFileSystem local
        ? MappedFile.open(local.pathToFile(path).toPath())
        : StreamedFile.open(path, fileSystem);
  }

  /** Returns the number of bytes. */
  long length();

  /**
   * Fills {@code target}, from its position to its limit, with the bytes from {@code position}.
   *
   * @throws EOFException when the file ends before, even one that was shortened since it was opened
   */
  void read(long position, ByteBuffer target) throws IOException;

  /** Returns a stream of the bytes from {@code begin} to before {@code end}. */
  default InputStream stream(long begin, long end) {
    return new InputStream() {
      private static final int CHUNK = 1 << 13;
      private long next = begin;

      @Override
      public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
      }

      @Override
      public int read(byte[] bytes, int offset, int length) throws IOException {
        int count = (int) Math.min(Math.min(length, CHUNK), end - next);
        if (count == 0) {
          return length == 0 ? 0 : -1;
        }
        ByteSource.this.read(next, ByteBuffer.wrap(bytes, offset, count));
        next += count;
        return count;
      }
    };
  }
}
