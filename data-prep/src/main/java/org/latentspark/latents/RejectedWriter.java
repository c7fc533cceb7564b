package org.latentspark.latents;

import java.io.Closeable;
import java.io.IOException;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** Writes one file of rejected pairs, on any Hadoop file system. */
public final class RejectedWriter implements Closeable {
  private final String relativePath;
  private final RowWriter rows;

  /**
   * Starts a new file.
   *
   * @param dataset the dataset's directory
   * @param relativePath path of the file in it; must not exist yet
   */
  public RejectedWriter(Path dataset, String relativePath, Configuration configuration)
      throws IOException {
    this.relativePath = relativePath;
    this.rows = new RowWriter(new Path(dataset, relativePath), PairSchema.REJECTED, configuration);
  }

  /** Appends a row. */
  public void write(RejectedPair pair) throws IOException {
    rows.write(PairSchema.toGroup(pair));
  }

  /** Completes the file. */
  public DataFile finish() throws IOException {
    return rows.finish(relativePath, 0, new TreeMap<>());
  }

  /** Closes the file and deletes it. */
  public void abort() throws IOException {
    rows.abort();
  }

  @Override
  public void close() throws IOException {
    rows.close();
  }
}
