package org.latentspark.image;

import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.latentspark.filter.RejectReason;
import org.latentspark.filter.RejectedException;
import org.latentspark.pairs.ImageLocation;
import org.latentspark.tensor.FileSystems;

/** Reads images that the source holds: files, and parts of archives. */
final class StoredImages {
  private final Configuration configuration;
  private final long maxBytes;

  StoredImages(Configuration configuration, long maxBytes) {
    this.configuration = configuration;
    this.maxBytes = maxBytes;
  }

  /** Returns the image file at {@code location}; throws {@link RejectedException} if it cannot. */
  byte[] read(ImageLocation location) {
    Path path = new Path(location.path());
    try {
      FileSystem system = FileSystems.of(path, configuration);
      long length =
          location.length() == ImageLocation.TO_THE_END
              ? system.getFileStatus(path).getLen() - location.offset()
              : location.length();
      byte[] file = new byte[checked(length)];
      try (FSDataInputStream in = system.open(path)) {
        in.readFully(location.offset(), file);
      }
      return file;
    } catch (FileNotFoundException e) {
      throw new RejectedException(RejectReason.NOT_FOUND, location.path());
    } catch (EOFException e) {
      throw new RejectedException(RejectReason.TRUNCATED, location.path() + " has become shorter");
    } catch (IOException e) {
      throw new RejectedException(RejectReason.CONNECTION_FAILED, e.toString());
    }
  }

  /** Returns the number of bytes to read, once it is known to be allowed. */
  private int checked(long length) {
    if (length < 1) {
      throw new RejectedException(RejectReason.EMPTY_FILE, null);
    }
    if (length > maxBytes) {
      throw new RejectedException(
          RejectReason.TOO_LARGE, "%d bytes, most is %d".formatted(length, maxBytes));
    }
    return (int) length;
  }

  /** Returns {@code image}, which came with its row, if its size is allowed. */
  byte[] checked(byte[] image) {
    checked((long) image.length);
    return image;
  }
}
