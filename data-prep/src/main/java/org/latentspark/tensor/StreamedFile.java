package org.latentspark.tensor;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** A file of any Hadoop file system as one stream, fastest front to back; for one thread. */
final class StreamedFile implements ByteSource {
  private static final int CHUNK = 1 << 22;
  private final FSDataInputStream in;
  private final long length;
  private byte[] buffer = new byte[0];

  private StreamedFile(FSDataInputStream in, long length) {
    this.in = in;
    this.length = length;
  }

  static StreamedFile open(Path path, FileSystem fileSystem) throws IOException {
    long length = fileSystem.getFileStatus(path).getLen();
    return new StreamedFile(fileSystem.open(path), length);
  }

  @Override
  public long length() {
    return length;
  }

  @Override
  public void read(long position, ByteBuffer target) throws IOException {
    if (in.getPos() != position) {
      in.seek(position);
    }
    while (target.hasRemaining()) {
      int count = Math.min(target.remaining(), CHUNK);
      if (buffer.length < count) {
        buffer = new byte[count];
      }
      in.readFully(buffer, 0, count);
      target.put(buffer, 0, count);
    }
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
