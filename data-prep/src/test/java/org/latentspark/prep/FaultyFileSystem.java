package org.latentspark.prep;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;

/** The local file system under the scheme {@code faulty}, which fails to close one file. */
public final class FaultyFileSystem extends RawLocalFileSystem {
  private static final URI NAME = URI.create("faulty:///");
  private static final AtomicReference<String> DOOMED = new AtomicReference<>();
  private static final AtomicInteger FAILURES = new AtomicInteger();

  /** Lets the next file whose path matches {@code pattern} fail, after all of it was written. */
  static void failOnce(String pattern) {
    FAILURES.set(0);
    DOOMED.set(pattern);
  }

  static int failures() {
    return FAILURES.get();
  }

  @Override
  public URI getUri() {
    return NAME;
  }

  @Override
  public String getScheme() {
    return "faulty";
  }

  @Override
  public void initialize(URI uri, Configuration configuration) throws IOException {
    super.initialize(NAME, configuration);
  }

  @Override
  public FSDataOutputStream create(
      Path path,
      FsPermission permission,
      boolean overwrite,
      int bufferSize,
      short replication,
      long blockSize,
      Progressable progress)
      throws IOException {
    return faulty(
        path,
        super.create(path, permission, overwrite, bufferSize, replication, blockSize, progress));
  }

  @Override
  public FSDataOutputStream create(
      Path path,
      boolean overwrite,
      int bufferSize,
      short replication,
      long blockSize,
      Progressable progress)
      throws IOException {
    return faulty(
        path, super.create(path, overwrite, bufferSize, replication, blockSize, progress));
  }

  private static FSDataOutputStream faulty(Path path, FSDataOutputStream out) throws IOException {
    String pattern = DOOMED.get();
    if (pattern == null || !path.toString().matches(pattern)) {
      return out;
    }
    OutputStream failing =
        new FilterOutputStream(out) {
          @Override
          public void write(byte[] data, int offset, int length) throws IOException {
            out.write(data, offset, length);
          }

          @Override
          public void close() throws IOException {
            super.close();
            if (DOOMED.compareAndSet(pattern, null)) {
              FAILURES.incrementAndGet();
              throw new IOException(path + ": the disk fails");
            }
          }
        };
    return new FSDataOutputStream(failing, null);
  }
}
