package org.latentspark.tensor;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;

/** Finds the file system of a path: local, hdfs, s3a. */
public final class FileSystems {
  private FileSystems() {}

  /**
   * Returns the file system of {@code path}. A local one neither writes nor reads Hadoop's hidden
   * {@code .crc} files, which go stale when other programs replace the files beside them.
   */
  public static FileSystem of(Path path, Configuration configuration) throws IOException {
    FileSystem fileSystem = path.getFileSystem(configuration);
    return fileSystem instanceof LocalFileSystem local ? local.getRawFileSystem() : fileSystem;
  }

  /**
   * Returns {@code path} such that it means the same on every machine, whatever its default file
   * system and working directory: for the driver, before it hands a path to executors.
   */
  public static String qualified(String path, Configuration configuration) throws IOException {
    Path plain = new Path(path);
    return of(plain, configuration).makeQualified(plain).toString();
  }
}
