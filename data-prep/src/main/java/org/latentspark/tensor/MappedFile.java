package org.latentspark.tensor;

import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A local file mapped into memory, a gigabyte at a time; for one thread.
 *
 * <p>Only Java's own copying touches the mapping: if a file is shortened in the very moment of a
 * copy, that throws an InternalError, while native code would end the process.
 */
final class MappedFile implements ByteSource {
  private static final long WINDOW = 1L << 30;
  private final Path path;
  private final FileChannel channel;
  private final long length;
  private MappedByteBuffer window;
  private long windowStart;

  private MappedFile(Path path, FileChannel channel) throws IOException {
    this.path = path;
    this.channel = channel;
    this.length = channel.size();
  }

  static MappedFile open(Path path) throws IOException {
    try {
      return new MappedFile(path, FileChannel.open(path, StandardOpenOption.READ));
    } catch (NoSuchFileException e) {
      throw (IOException) new FileNotFoundException(path + " does not exist").initCause(e);
    }
  }

  @Override
  public long length() {
    return length;
  }

  @Override
  public void read(long position, ByteBuffer target) throws IOException {
    long next = position;
    while (target.hasRemaining()) {
      int offset = map(next);
      int count = Math.min(target.remaining(), window.capacity() - offset);
      if (count <= 0 || channel.size() < next + count) {
        throw new EOFException(path + " ends before byte " + (next + target.remaining()));
      }
      target.put(window.slice(offset, count));
      next += count;
    }
  }

  /** Maps the window around {@code position} and returns where in it that is. */
  private int map(long position) throws IOException {
    long start = position / WINDOW * WINDOW;
    if (window == null || start != windowStart) {
      long size = Math.max(0, Math.min(WINDOW, length - start));
      window = channel.map(FileChannel.MapMode.READ_ONLY, start, size);
      windowStart = start;
    }
    return (int) (position - start);
  }

  @Override
  public void close() throws IOException {
    window = null;
    channel.close();
  }
}
