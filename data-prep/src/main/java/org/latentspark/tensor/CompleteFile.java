package org.latentspark.tensor;

import java.io.IOException;
import java.io.OutputStream;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.CommonPathCapabilities;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Options;
import org.apache.hadoop.fs.Path;

/**
 * Writes small files that readers see whole or not at all, whenever the writer dies.
 *
 * <p>An object store shows an object only when its upload is complete. Elsewhere the bytes go to a
 * hidden file that then takes the name in one step.
 */
public final class CompleteFile {
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
