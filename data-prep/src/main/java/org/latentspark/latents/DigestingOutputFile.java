package org.latentspark.latents;

import java.io.IOException;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.io.OutputFile;
import org.apache.parquet.io.PositionOutputStream;
import org.latentspark.tensor.FileSystems;

/** A new file on any Hadoop file system whose bytes are hashed on their way out. */
final class DigestingOutputFile implements OutputFile {
  private final Path path;
  private final Configuration configuration;
  private final MessageDigest digest = Digests.sha256();
  private long bytes;

  DigestingOutputFile(Path path, Configuration configuration) {
    this.path = path;
    this.configuration = configuration;
  }

  /** Returns how many bytes were written. */
  long bytes() {
    return bytes;
  }

  /** Returns the hex SHA-256 of the file; call it once, after the file is closed. */
  String sha256() {
    return HexFormat.of().formatHex(digest.digest());
  }

  @Override
  public PositionOutputStream create(long blockSizeHint) throws IOException {
    FileSystem files = FileSystems.of(path, configuration);
    return new DigestingStream(files.create(path, false));
  }

  @Override
  public PositionOutputStream createOrOverwrite(long blockSizeHint) throws IOException {
    throw new IOException(path + ": data files are never overwritten");
  }

  @Override
  public boolean supportsBlockSize() {
    return false;
  }

  @Override
  public long defaultBlockSize() {
    return 0;
  }

  @Override
  public String getPath() {
    return path.toString();
  }

  private final class DigestingStream extends PositionOutputStream {
    private final FSDataOutputStream out;

    DigestingStream(FSDataOutputStream out) {
      this.out = out;
    }

    @Override
    public long getPos() {
      return bytes;
    }

    @Override
    public void write(int value) throws IOException {
      out.write(value);
      digest.update((byte) value);
      bytes++;
    }

    @Override
    public void write(byte[] data, int offset, int length) throws IOException {
      out.write(data, offset, length);
      digest.update(data, offset, length);
      bytes += length;
    }

    @Override
    public void flush() throws IOException {
      out.flush();
    }

    @Override
    public void close() throws IOException {
      out.close();
    }
  }
}
