package org.latentspark.pairs;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.udf;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.parquet.schema.MessageType;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.types.DataTypes;
import org.latentspark.cli.InputException;

/**
 * LAION-style metadata in Parquet files, whose columns and types may vary from file to file.
 *
 * @param rows the pairs, with the columns of {@link PairRecord#COLUMNS}, in no order
 * @param unreadable files that are no Parquet, or only the first part of one
 */
public record MetadataSource(Dataset<Row> rows, List<PairRecord.UnreadableFile> unreadable) {

  /**
   * Finds the files and plans their reading.
   *
   * @param source paths or globs of Parquet files or of folders of them, on any Hadoop file system
   * @throws InputException if nothing matches, nothing is readable, or a file lacks a column
   */
  public static MetadataSource open(SparkSession spark, List<String> source) throws IOException {
    // Column names are taken as the file has them: URL and url may stand in one table.
    SparkSession session = spark.newSession();
    session.conf().set("spark.sql.caseSensitive", "true");
    Configuration configuration = session.sparkContext().hadoopConfiguration();
    List<PairRecord.UnreadableFile> unreadable = new ArrayList<>();
    Dataset<Row> rows = null;
    for (Map.Entry<MessageType, List<String>> alike :
        bySchema(source, configuration, unreadable).entrySet()) {
      Dataset<Row> table = session.read().parquet(alike.getValue().toArray(new String[0]));
      Column[] columns = MetadataColumns.select(alike.getValue().get(0), List.of(table.columns()));
      Dataset<Row> pairs = table.select(columns);
      rows = rows == null ? pairs : rows.union(pairs);
    }
    if (rows == null) {
      throw new InputException(
          "source %s: %s"
              .formatted(
                  source, unreadable.isEmpty() ? "no file matches" : "unreadable: " + unreadable));
    }
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
    Column[] order = PairRecord.COLUMNS.stream().map(name -> col(name)).toArray(Column[]::new);
    return new MetadataSource(rows.orderBy(order).limit(count), unreadable);
  }

  /** One table for each schema: Spark reads files with float and double scores only apart. */
  private static Map<MessageType, List<String>> bySchema(
      List<String> source, Configuration configuration, List<PairRecord.UnreadableFile> unreadable)
      throws IOException {
    Map<MessageType, List<String>> bySchema = new LinkedHashMap<>();
    for (Path file : files(source, configuration)) {
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

  private static List<Path> files(List<String> source, Configuration configuration)
      throws IOException {
    List<Path> files = new ArrayList<>();
    for (String glob : source) {
      Path path = new Path(glob);
      FileSystem system = path.getFileSystem(configuration);
      FileStatus[] matches = system.globStatus(path);
      for (FileStatus match : matches == null ? new FileStatus[0] : matches) {
        if (match.isFile()) {
          files.add(match.getPath());
        } else {
          for (FileStatus child : system.listStatus(match.getPath())) {
            String name = child.getPath().getName();
            if (child.isFile() && name.endsWith(".parquet") && !name.matches("[._].*")) {
              files.add(child.getPath());
            }
          }
        }
      }
    }
    return files.stream().distinct().sorted().toList();
  }

  /** Spark takes every path for a glob, also one that a glob has found already. */
  private static String escapeGlob(Path path) {
    return path.toString().replaceAll("[\\\\{}\\[\\]*?]", "\\\\$0");
  }
}
