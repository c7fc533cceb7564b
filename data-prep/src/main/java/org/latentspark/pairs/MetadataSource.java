package org.latentspark.pairs;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.not;
import static org.apache.spark.sql.functions.udf;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.util.SerializableConfiguration;
import org.apache.spark.util.TaskCompletionListener;
import org.latentspark.cli.InputException;

/**
 * Image-text pairs of any source: metadata in Parquet, CSV and JSON lines, whose columns and types
 * may vary from file to file; WebDataset archives, Parquet files that hold images, and folders of
 * images, all as img2dataset writes them or alike.
 */
public final class MetadataSource {
  /** What opening a file costs, in bytes that could be read meanwhile. */
  private static final long OPENING = 4 << 20;

  private static final long MOST_BYTES = 128 << 20;
  private static final int MOST_TASKS = 100_000;

  private final Dataset<Row> rows;
  private final LongSupplier counter;

  private MetadataSource(Dataset<Row> rows, LongSupplier counter) {
    this.rows = rows;
    this.counter = counter;
  }

  /**
   * Finds the files and plans their reading.
   *
   * @param source paths or globs of files or of folders, on any Hadoop file system
   * @throws InputException if nothing matches, nothing is readable, or the tables lack a column
   */
  public static MetadataSource open(SparkSession spark, List<String> source) throws IOException {
    Configuration configuration = spark.sparkContext().hadoopConfiguration();
    List<SourceFiles.Unit> units = units(source, configuration);
    requirePairs(source, units, configuration);
    SerializableConfiguration shared = new SerializableConfiguration(configuration);
    JavaRDD<SourceFiles.Unit> tasks =
        tasks(JavaSparkContext.fromSparkContext(spark.sparkContext()), units);
    FlatMapFunction<SourceFiles.Unit, Row> scan = unit -> scan(unit, shared);
    Function<SourceFiles.Unit, Long> count = unit -> count(unit, shared);
    return new MetadataSource(
        spark.createDataFrame(tasks.flatMap(scan), PairRecord.SCHEMA),
        () -> tasks.map(count).fold(0L, Long::sum));
  }

  /** Finds the files. */
  static List<SourceFiles.Unit> units(List<String> source, Configuration configuration)
      throws IOException {
    List<SourceFiles.Unit> units = SourceFiles.find(source, configuration).units();
    if (units.isEmpty()) {
      throw new InputException("source %s: no file matches".formatted(source));
    }
    return units;
  }

  /** Returns the pairs, and what is none with its reason, in no order. */
  public Dataset<Row> rows() {
    return rows;
  }

  /** Returns how many rows there are; Parquet files are not read for it. */
  public long count() {
    return counter.getAsLong();
  }

  /** Returns the pairs whose URL, or whose URL's last segment, is one of {@code names}. */
  public MetadataSource only(Set<String> names) {
    UDF1<String, Boolean> named =
        url ->
            url != null
                && (names.contains(url) || names.contains(url.substring(url.lastIndexOf('/') + 1)));
    return of(rows.filter(udf(named, DataTypes.BooleanType).apply(col("url")).or(isUnreadable())));
  }

  /**
   * Returns the first {@code count} pairs in the order of their keys; what is unreadable counts
   * besides, since nobody knows which pairs it held.
   */
  public MetadataSource first(int count) {
    Column[] order = PairRecord.ORDER.stream().map(name -> col(name)).toArray(Column[]::new);
    return of(
        rows.filter(not(isUnreadable()))
            .orderBy(order)
            .limit(count)
            .union(rows.filter(isUnreadable())));
  }

  private static Column isUnreadable() {
    return col(PairRecord.REASON).eqNullSafe(SourceFault.UNREADABLE_SOURCE.code());
  }

  private static MetadataSource of(Dataset<Row> rows) {
    return new MetadataSource(rows, rows::count);
  }

  /** Looks at the first readable table, so that a wrong source is told before any work. */
  private static void requirePairs(
      List<String> source, List<SourceFiles.Unit> units, Configuration configuration) {
    List<String> unreadable = new ArrayList<>();
    for (SourceFiles.Unit unit : units) {
      if (unit.format() != SourceFormat.PARQUET) {
        return;
      }
      Path path = new Path(unit.path());
      try (ParquetFileReader file = ParquetScan.open(path, 0, 0, configuration)) {
        ParquetColumns.of(file.getFileMetaData().getSchema())
            .missing()
            .ifPresent(
                what -> {
                  throw new InputException(
                      "%s: %s, the file has %s"
                          .formatted(
                              path,
                              what,
                              file.getFileMetaData().getSchema().getFields().stream()
                                  .map(field -> field.getName())
                                  .toList()));
                });
        return;
      } catch (InputException e) {
        throw e;
      } catch (IOException | RuntimeException e) {
        unreadable.add(path + ": " + e);
      }
    }
    throw new InputException("source %s: unreadable: %s".formatted(source, unreadable));
  }

  /** One task for a unit, or for several small ones. */
  private static JavaRDD<SourceFiles.Unit> tasks(
      JavaSparkContext spark, List<SourceFiles.Unit> units) {
    long all = units.stream().mapToLong(MetadataSource::cost).sum();
    long even = Math.max(OPENING, all / spark.defaultParallelism());
    long most = Math.max(Math.min(MOST_BYTES, even), all / MOST_TASKS);
    List<List<SourceFiles.Unit>> tasks = new ArrayList<>();
    long bytes = Long.MAX_VALUE;
    for (SourceFiles.Unit unit : units) {
      if (tasks.isEmpty() || bytes + cost(unit) > most) {
        tasks.add(new ArrayList<>());
        bytes = 0;
      }
      tasks.get(tasks.size() - 1).add(unit);
      bytes += cost(unit);
    }
    return spark.parallelize(tasks, tasks.size()).flatMap(List::iterator);
  }

  private static long cost(SourceFiles.Unit unit) {
    // How much is in a folder of images is not known: it gets a task of its own.
    return unit.format() == SourceFormat.IMAGE ? MOST_BYTES : unit.length() + OPENING;
  }

  private static Iterator<Row> scan(
      SourceFiles.Unit unit, SerializableConfiguration configuration) {
    RowScan rows = RowScan.open(unit, configuration.value());
    TaskContext.get()
        .addTaskCompletionListener(
            (TaskCompletionListener)
                context -> {
                  try {
                    rows.close();
                  } catch (IOException e) {
                    throw new UncheckedIOException(e);
                  }
                });
    return rows;
  }

  private static long count(SourceFiles.Unit unit, SerializableConfiguration configuration) {
    try (RowScan rows = RowScan.open(unit, configuration.value())) {
      return rows.count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
