package org.latentspark.doctor;

import java.io.IOException;
import java.net.URI;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/** The local disk under the scheme {@code late}, with a clock an hour behind. */
public final class LateFileSystem extends RawLocalFileSystem {
  private static final long HOUR = 3_600_000;

  @Override
  public URI getUri() {
    return URI.create("late:///");
  }

  @Override
  public FileStatus getFileStatus(Path path) throws IOException {
    FileStatus status = super.getFileStatus(path);
    return new FileStatus(
        status.getLen(),
        status.isDirectory(),
        1,
        status.getBlockSize(),
        status.getModificationTime() - HOUR,
        path);
  }
}
