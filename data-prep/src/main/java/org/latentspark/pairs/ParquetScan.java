package org.latentspark.pairs;

import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.security.AccessControlException;
import org.apache.parquet.HadoopReadOptions;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.convert.GroupRecordConverter;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.io.MessageColumnIO;
import org.apache.parquet.io.RecordReader;
import org.apache.spark.sql.Row;
import org.latentspark.tensor.FileSystems;

/**
 * The pairs in those row groups of a Parquet file whose middle lies in a range of its bytes, as
 * Spark cuts such files too.
 *
 * <p>A damaged page costs the rows from there to the end of its row group: each is counted, and
 * reading goes on with the next group. So there are always as many rows as the footer says.
 */
final class ParquetScan extends TableScan {
  private final SourceFiles.Unit unit;
  private final Configuration configuration;
  private final ParquetFileReader reader;
  private final List<BlockMetaData> groups;
  private final ParquetColumns columns;
  private final MessageColumnIO assembly;
  private int group = -1;
  private long row;
  private long rows;
  private RecordReader<Group> records;
  private String damage;

  ParquetScan(SourceFiles.Unit unit, Configuration configuration) throws IOException {
    super(new Path(unit.path()));
    this.unit = unit;
    this.configuration = configuration;
    ParquetFileReader opened = null;
    try {
      opened = open(new Path(unit.path()), unit.start(), unit.length(), configuration);
      groups = opened.getRowGroups();
      ParquetColumns all = ParquetColumns.of(opened.getFileMetaData().getSchema());
      columns = unit.part() == SourceFiles.Part.PAIRS ? all : all.withoutImage();
      String missing = columns.missing().orElse(null);
      if (missing != null) {
        throw new IOException(missing);
      }
      opened.setRequestedSchema(columns.schema());
      assembly =
          new ColumnIOFactory(opened.getFileMetaData().getCreatedBy())
              .getColumnIO(columns.schema());
      reader = opened;
    } catch (IOException | RuntimeException e) {
      if (opened != null) {
        opened.close();
      }
      requireStorage(0, unit.length(), e);
      throw new IOException(e);
    }
  }

  /** Opens the row groups whose middle lies in a range of the file's bytes. */
  static ParquetFileReader open(Path path, long start, long length, Configuration configuration)
      throws IOException {
    return ParquetFileReader.open(
        HadoopInputFile.fromPath(path, configuration),
        HadoopReadOptions.builder(configuration, path)
            // Pages may carry a checksum, which Parquet compares only when asked.
            .usePageChecksumVerification()
            .withRange(start, start + length)
            .build());
  }

  @Override
  Row read() {
    while (true) {
      if (row == rows && !nextGroup()) {
        return null;
      }
      if (row == rows) {
        continue;
      }
      Row read = damage == null ? decode() : null;
      if (read == null && damage != null) {
        read =
            refused(
                "row group %d, row %d".formatted(groups.get(group).getOrdinal(), row),
                SourceFault.UNREADABLE_SOURCE,
                damage);
        if (unit.part() == SourceFiles.Part.FAILURES) {
          // Which of these rows would have counted nobody knows.
          row = rows - 1;
        }
      }
      row++;
      if (read != null) {
        return read;
      }
    }
  }

  private boolean nextGroup() {
    group++;
    if (group == groups.size()) {
      return false;
    }
    row = 0;
    rows = rows(groups.get(group));
    records = null;
    damage = null;
    return true;
  }

  /** Returns the next row, or null if it is damaged or none to be read. */
  private Row decode() {
    try {
      if (records == null) {
        PageReadStore pages = reader.readRowGroup(group);
        records = assembly.getRecordReader(pages, new GroupRecordConverter(columns.schema()));
      }
      return toRow(records.read());
    } catch (IOException | RuntimeException e) {
      BlockMetaData block = groups.get(group);
      requireStorage(block.getStartingPos(), block.getCompressedSize(), e);
      damage = e.toString();
      return null;
    }
  }

  private Row toRow(Group values) {
    PairFields fields = columns.fields(values);
    if (unit.part() == SourceFiles.Part.FAILURES) {
      return "success".equals(fields.text(MetadataField.STATUS))
              || !columns.has(MetadataField.STATUS)
          ? null
          : PairRows.missing(fields);
    }
    if (!columns.has(MetadataField.IMAGE)) {
      return pair(fields, "row group %d, row %d".formatted(groups.get(group).getOrdinal(), row));
    }
    byte[] image = columns.image(values);
    return image == null ? PairRows.missing(fields) : PairRows.withImage(fields, image, path());
  }

  /** A group of which the footer makes no sense counts as one item. */
  private static long rows(BlockMetaData block) {
    return Math.max(1, block.getRowCount());
  }

  @Override
  long count() {
    return unit.part() == SourceFiles.Part.PAIRS
        ? groups.stream().mapToLong(ParquetScan::rows).sum()
        : super.count();
  }

  /**
   * Throws unless the bytes can be had, whatever they are: what fails though they can is damaged.
   *
   * @throws StorageException if the storage does not answer
   */
  private void requireStorage(long from, long length, Exception failure) {
    Path path = new Path(unit.path());
    try (FSDataInputStream in = FileSystems.of(path, configuration).open(path)) {
      in.seek(from);
      byte[] buffer = new byte[1 << 16];
      for (long left = length; left > 0; ) {
        int count = in.read(buffer, 0, (int) Math.min(left, buffer.length));
        if (count < 0) {
          return;
        }
        left -= count;
      }
    } catch (ChecksumException | EOFException | FileNotFoundException | AccessControlException e) {
      // The file's own trouble, which will not pass.
    } catch (IOException e) {
      failure.addSuppressed(e);
      throw new StorageException(unit.path() + ": the storage does not answer", failure);
    }
  }

  @Override
  public void close() throws IOException {
    reader.close();
  }
}
