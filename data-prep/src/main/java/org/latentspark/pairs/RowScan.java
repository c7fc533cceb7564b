package org.latentspark.pairs;

import java.io.Closeable;
import java.io.IOException;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Row;
import org.latentspark.tensor.FileSystems;

/**
 * The rows of one file or folder, read one by one; damage costs what it hits, and stands in the
 * rows as {@link SourceFault}s.
 */
abstract class RowScan implements Iterator<Row>, Closeable {
  private final String path;
  private Row next;
  private boolean ended;

  RowScan(String path) {
    this.path = path;
  }

  /** Starts to read {@code unit}; what cannot even be opened is a single row. */
  static RowScan open(SourceFiles.Unit unit, Configuration configuration) {
    Path path = new Path(unit.path());
    try {
      return switch (unit.format()) {
        case CSV -> new CsvScan(path, configuration);
        case JSON_LINES -> new JsonLinesScan(path, configuration);
        case TAR ->
            new TarScan(unit.path(), unit.length(), FileSystems.of(path, configuration).open(path));
        case IMAGE -> new ImageFolderScan(path, FileSystems.of(path, configuration));
        case PARQUET -> new ParquetScan(unit, configuration);
      };
    } catch (IOException e) {
      // Of a file that is cut in several units, the first counts.
      return unit.start() == 0 ? new Unreadable(unit.path(), e) : new Nothing(unit.path());
    }
  }

  /** Returns the next row, or null at the end; what it throws ends the scan. */
  abstract Row read() throws IOException;

  @Override
  public final boolean hasNext() {
    if (next == null && !ended) {
      try {
        next = read();
        ended = next == null;
      } catch (StorageException e) {
        throw e;
      } catch (IOException | RuntimeException e) {
        next = refused(null, SourceFault.UNREADABLE_SOURCE, e.toString());
        ended = true;
      }
    }
    return next != null;
  }

  @Override
  public final Row next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    Row row = next;
    next = null;
    return row;
  }

  /** Returns how many rows there are; the scan is at its end then. */
  long count() {
    long count = 0;
    while (hasNext()) {
      next();
      count++;
    }
    return count;
  }

  /**
   * Returns the row of something that is no pair.
   *
   * @param item its name within the file, null for the file itself
   */
  final Row refused(String item, SourceFault fault, String detail) {
    return PairRows.refused(item == null ? path : path + "#" + item, null, fault, detail);
  }

  final String path() {
    return path;
  }

  /** A file that could not be opened. */
  private static final class Unreadable extends RowScan {
    private final IOException cause;

    Unreadable(String path, IOException cause) {
      super(path);
      this.cause = cause;
    }

    @Override
    Row read() throws IOException {
      throw cause;
    }

    @Override
    public void close() {}
  }

  /** What another unit accounts for. */
  private static final class Nothing extends RowScan {
    Nothing(String path) {
      super(path);
    }

    @Override
    Row read() {
      return null;
    }

    @Override
    public void close() {}
  }
}
