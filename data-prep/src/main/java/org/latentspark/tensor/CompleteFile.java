package org.latentspark.tensor;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Optional;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.CommonPathCapabilities;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Options;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.PathIOException;

/**
 * Writes small files that readers see whole or not at all, whenever the writer dies, and reads
 * them.
 *
 * <p>An object store shows an object only when its upload is complete. Elsewhere the bytes go to a
 * hidden file that then takes the name in one step.
 */
public final class CompleteFile {
  private static final int ATTEMPTS = 20;

  private CompleteFile() {}

  /** Writes {@code bytes} to {@code path}, in place of what is there. */
  public static void write(Path path, byte[] bytes, Configuration configuration)
      throws IOException {
    FileSystem files = FileSystems.of(path, configuration);
    if (files.hasPathCapability(path, CommonPathCapabilities.ABORTABLE_STREAM)) {
      write(files, path, bytes);
      return;
    }
    Path part = new Path(path.getParent(), "." + path.getName() + "." + UUID.randomUUID());
    write(files, part, bytes);
    // A local rename replaces the target; HDFS wants to be told.
    if (!files.rename(part, path)) {
      FileContext.getFileContext(files.getUri(), configuration)
          .rename(part, path, Options.Rename.OVERWRITE);
    }
  }

  /**
   * Reads a file that may be replaced meanwhile.
   *
   * @throws FileNotFoundException where there is none
   */
  public static byte[] read(Path path, Configuration configuration) throws IOException {
    FileSystem files = FileSystems.of(path, configuration);
    for (int attempt = 1; ; attempt++) {
      try (InputStream in = files.open(path)) {
        return in.readAllBytes();
      } catch (PathIOException e) {
        // S3A looks at an object, then reads it, and says so where it changed in between.
        if (attempt == ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  /** Returns what {@link #read} does; empty where there is no file. */
  public static Optional<byte[]> find(Path path, Configuration configuration) throws IOException {
    try {
      return Optional.of(read(path, configuration));
    } catch (FileNotFoundException e) {
      return Optional.empty();
    }
  }

  /** Removes what writes of a file left that died; none may be under way. */
  public static void sweep(Path path, Configuration configuration) throws IOException {
    FileSystem files = FileSystems.of(path, configuration);
    FileStatus[] siblings;
    try {
      siblings = files.listStatus(path.getParent());
    } catch (FileNotFoundException e) {
      return;
    }
    for (FileStatus sibling : siblings) {
      if (isLeftover(sibling.getPath().getName(), path.getName())) {
        files.delete(sibling.getPath(), false);
      }
    }
  }

  /** Returns whether a file of this name is what a write of {@code name} left when it died. */
  public static boolean isLeftover(String fileName, String name) {
    return fileName.startsWith("." + name + ".");
  }

  private static void write(FileSystem files, Path path, byte[] bytes) throws IOException {
    try (OutputStream out = files.create(path, true)) {
      out.write(bytes);
    }
  }
}
