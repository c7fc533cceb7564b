package org.latentspark.latents;

import java.io.Closeable;
import java.io.IOException;
import java.util.SortedMap;
import java.util.TreeMap;
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
  private final RowLayout layout;
  private final RowWriter rows;
  private final SortedMap<String, Long> trainRowsByBucket = new TreeMap<>();
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
    this(dataset, relativePath, RowLayout.plain(LatentKind.MEAN_STD, shape), configuration);
  }

  /** Starts a new file whose latents are what {@code layout} says. */
  public LatentWriter(
      Path dataset, String relativePath, RowLayout layout, Configuration configuration)
      throws IOException {
    this.relativePath = relativePath;
    this.layout = layout;
    this.rows = new RowWriter(new Path(dataset, relativePath), PairSchema.ENCODED, configuration);
    this.moments = LatentMoments.none(layout.shape().channels());
  }

  /** Appends a row. */
  public void write(EncodedPair pair) throws IOException {
    layout
        .fault(pair)
        .ifPresent(
            fault -> {
              throw new IllegalArgumentException("pair " + pair.key() + ": " + fault);
            });
    rows.write(PairSchema.toGroup(pair));
    if (pair.split() == Split.TRAIN) {
      trainRows++;
      moments = moments.plus(pair.latent(), layout.kind());
      if (layout.flip() == Flip.BOTH) {
        moments = moments.plus(pair.flippedLatent(), layout.kind());
      }
      if (!layout.buckets().isEmpty()) {
        trainRowsByBucket.merge(
            Bucket.code(pair.bucketWidth(), pair.bucketHeight()), 1L, Long::sum);
      }
    }
  }

  /** Returns about how many bytes the file has by now. */
  public long approximateBytes() {
    return rows.approximateBytes();
  }

  /** Completes the file. */
  public WrittenFile finish() throws IOException {
    return new WrittenFile(rows.finish(relativePath, trainRows, trainRowsByBucket), moments);
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
