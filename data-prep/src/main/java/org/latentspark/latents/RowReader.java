package org.latentspark.latents;

import java.io.IOException;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.function.Function;
import java.util.function.Predicate;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.api.ReadSupport;
import org.apache.parquet.hadoop.example.GroupReadSupport;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.parquet.io.InputFile;
import org.latentspark.cli.InputException;

/**
 * Streams the rows of one Parquet file of a dataset, in the order they were written.
 *
 * <p>A file that cannot be read to its end throws {@link InputException} with its path.
 *
 * @param <T> what a row becomes
 */
public final class RowReader<T> implements Iterator<T>, AutoCloseable {
  private final Path path;
  private final ParquetReader<Group> reader;
  private final Function<Group, T> convert;
  private final Predicate<T> wanted;
  private T next;
  private boolean ended;

  RowReader(
      Path path, Configuration configuration, Function<Group, T> convert, Predicate<T> wanted) {
    this.path = path;
    this.convert = convert;
    this.wanted = wanted;
    try {
      this.reader =
          new GroupReaderBuilder(HadoopInputFile.fromPath(path, configuration))
              .withConf(configuration)
              // Each page carries a checksum, which Parquet compares only when asked.
              .usePageChecksumVerification(true)
              .build();
    } catch (IOException | RuntimeException e) {
      throw damaged(e);
    }
  }

  /** Streams the rows of a data file, whether a manifest lists it or not. */
  public static RowReader<EncodedPair> encoded(Path path, Configuration configuration) {
    return new RowReader<>(path, configuration, PairSchema::toPair, pair -> true);
  }

  @Override
  public boolean hasNext() {
    while (next == null && !ended) {
      T row = readRow();
      if (row == null) {
        ended = true;
      } else if (wanted.test(row)) {
        next = row;
      }
    }
    return next != null;
  }

  @Override
  public T next() {
    if (!hasNext()) {
      throw new NoSuchElementException("no more rows in " + path);
    }
    T row = next;
    next = null;
    return row;
  }

  @Override
  public void close() {
    try {
      reader.close();
    } catch (IOException e) {
      throw damaged(e);
    }
  }

  private T readRow() {
    try {
      Group group = reader.read();
      return group == null ? null : convert.apply(group);
    } catch (IOException | RuntimeException e) {
      throw damaged(e);
    }
  }

  private InputException damaged(Exception cause) {
    return new InputException(path + ": cannot be read as a file of a dataset: " + cause, cause);
  }

  private static final class GroupReaderBuilder extends ParquetReader.Builder<Group> {
    GroupReaderBuilder(InputFile file) {
      super(file);
    }

    @Override
    protected ReadSupport<Group> getReadSupport() {
      return new GroupReadSupport();
    }
  }
}
