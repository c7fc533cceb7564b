package org.latentspark.latents;

import java.io.Closeable;
import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * Writes one data file of a dataset, on any Hadoop file system.
 *
 * <p>The file counts only when a manifest lists what {@link #finish()} returned. Closing without
 * finishing leaves an orphan; {@link #abort()} deletes it.
 */
public final class LatentWriter implements Closeable {
  private final String relativePath;
  private final LatentShape shape;
  private final LatentKind kind;
  private final RowWriter rows;
  private LatentMoments moments;
  private long trainRows;

  /**
   * Starts a new file whose latents hold mean and standard deviation.
   *
   * @param dataset the dataset's directory
   * @param relativePath path of the file in it; must not exist yet
   * @param shape what every row's latent must have
   */
  public LatentWriter(
      Path dataset, String relativePath, LatentShape shape, Configuration configuration)
      throws IOException {
    this(dataset, relativePath, shape, LatentKind.MEAN_STD, configuration);
  }

  /** Starts a new file whose latents hold what {@code kind} says. */
  public LatentWriter(
      Path dataset,
      String relativePath,
      LatentShape shape,
      LatentKind kind,
      Configuration configuration)
      throws IOException {
    this.relativePath = relativePath;
    this.shape = shape;
    this.kind = kind;
    this.rows = new RowWriter(new Path(dataset, relativePath), PairSchema.ENCODED, configuration);
    this.moments = LatentMoments.none(shape.channels());
  }

  /** Appends a row. */
  public void write(EncodedPair pair) throws IOException {
    if (pair.latent().length != kind.bytes(shape)) {
      throw new IllegalArgumentException(
          "latent of %s has %d bytes, must have %d for %s, %s"
              .formatted(pair.key(), pair.latent().length, kind.bytes(shape), kind.code(), shape));
    }
    rows.write(PairSchema.toGroup(pair));
    if (pair.split() == Split.TRAIN) {
      trainRows++;
      moments = moments.plus(pair.latent(), kind);
    }
  }

  /** Returns about how many bytes the file has by now. */
  public long approximateBytes() {
    return rows.approximateBytes();
  }

  /** Completes the file. */
  public WrittenFile finish() throws IOException {
    return new WrittenFile(rows.finish(relativePath, trainRows), moments);
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
