package org.latentspark.pairs;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.udf;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.parquet.schema.MessageType;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.FlatMapFunction;
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
 *
 * @param rows the pairs, and what is none with its reason, in the columns of {@link
 *     PairRecord#SCHEMA} and in no order
 * @param unreadable Parquet files that are none, or only the first part of one
 */
public record MetadataSource(Dataset<Row> rows, List<PairRecord.UnreadableFile> unreadable) {
  private static final int MAX_SCAN_TASKS = 100_000;

  /**
   * Finds the files and plans their reading.
   *
   * @param source paths or globs of files or of folders, on any Hadoop file system
   * @throws InputException if nothing matches, nothing is readable, or a file lacks a column
   */
  public static MetadataSource open(SparkSession spark, List<String> source) throws IOException {
    // Column names are taken as the file has them: URL and url may stand in one table.
    SparkSession session = spark.newSession();
    session.conf().set("spark.sql.caseSensitive", "true");
    Configuration configuration = session.sparkContext().hadoopConfiguration();
    SourceFiles files = SourceFiles.find(source, configuration);
    List<PairRecord.UnreadableFile> unreadable = new ArrayList<>();
    List<Dataset<Row>> parts = new ArrayList<>();
    parts.addAll(tables(session, files.parquet(), MetadataColumns::pairs, unreadable));
    parts.addAll(
        tables(session, files.parquetBesideImages(), MetadataColumns::failures, unreadable));
    scanned(session, files.units()).ifPresent(parts::add);
    Dataset<Row> rows =
        parts.stream()
            .reduce(Dataset::union)
            .orElseThrow(
                () ->
                    new InputException(
                        "source %s: %s"
                            .formatted(
                                source,
                                unreadable.isEmpty()
                                    ? "no file matches"
                                    : "unreadable: " + unreadable)));
    return new MetadataSource(rows, unreadable);
  }

  /** Returns the pairs whose URL, or whose URL's last segment, is one of {@code names}. */
  public MetadataSource only(Set<String> names) {
    UDF1<String, Boolean> named =
        url ->
            url != null
                && (names.contains(url) || names.contains(url.substring(url.lastIndexOf('/') + 1)));
    return new MetadataSource(
        rows.filter(udf(named, DataTypes.BooleanType).apply(col("url"))), unreadable);
  }

  /** Returns the first {@code count} pairs in the order of their keys. */
  public MetadataSource first(int count) {
    Column[] order = PairRecord.ORDER.stream().map(name -> col(name)).toArray(Column[]::new);
    return new MetadataSource(rows.orderBy(order).limit(count), unreadable);
  }

  private static List<Dataset<Row>> tables(
      SparkSession session,
      List<Path> files,
      BiFunction<Dataset<Row>, String, Dataset<Row>> pairs,
      List<PairRecord.UnreadableFile> unreadable) {
    Configuration configuration = session.sparkContext().hadoopConfiguration();
    return bySchema(files, configuration, unreadable).values().stream()
        .map(
            alike ->
                pairs.apply(session.read().parquet(alike.toArray(new String[0])), alike.get(0)))
        .toList();
  }

  /** One table for each schema: Spark reads files with float and double scores only apart. */
  private static Map<MessageType, List<String>> bySchema(
      List<Path> files, Configuration configuration, List<PairRecord.UnreadableFile> unreadable) {
    Map<MessageType, List<String>> bySchema = new LinkedHashMap<>();
    for (Path file : files) {
      try (ParquetFileReader reader =
          ParquetFileReader.open(HadoopInputFile.fromPath(file, configuration))) {
        MessageType schema = reader.getFileMetaData().getSchema();
        bySchema.computeIfAbsent(schema, any -> new ArrayList<>()).add(escapeGlob(file));
      } catch (IOException | RuntimeException e) {
        unreadable.add(new PairRecord.UnreadableFile(file.toString(), e.toString()));
      }
    }
    return bySchema;
  }

  /** One task for a file or folder, as long as there are not too many. */
  private static Optional<Dataset<Row>> scanned(
      SparkSession session, List<SourceFiles.Unit> units) {
    if (units.isEmpty()) {
      return Optional.empty();
    }
    SerializableConfiguration configuration =
        new SerializableConfiguration(session.sparkContext().hadoopConfiguration());
    FlatMapFunction<SourceFiles.Unit, Row> scan = unit -> scan(unit, configuration);
    return Optional.of(
        session.createDataFrame(
            JavaSparkContext.fromSparkContext(session.sparkContext())
                .parallelize(units, Math.min(units.size(), MAX_SCAN_TASKS))
                .flatMap(scan),
            PairRecord.SCHEMA));
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

  /** Spark takes every path for a glob, also one that a glob has found already. */
  private static String escapeGlob(Path path) {
    return path.toString().replaceAll("[\\\\{}\\[\\]*?]", "\\\\$0");
  }
}
