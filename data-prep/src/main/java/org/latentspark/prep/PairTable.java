package org.latentspark.prep;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.when;

import java.util.Arrays;
import java.util.Optional;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.latentspark.filter.FilterSettings;
import org.latentspark.filter.MetadataFilter;
import org.latentspark.filter.RejectReason;
import org.latentspark.pairs.MetadataSource;
import org.latentspark.pairs.PairRecord;
import scala.Tuple2;

/**
 * The pairs that a run reads, each with the verdict of the filter on it: all of the source, or
 * those that the dataset does not hold yet.
 *
 * @param rows the columns of {@link PairRecord#COLUMNS}, then the verdict's
 * @param read number of rows
 * @param known pairs of the source that the dataset holds
 */
record PairTable(Dataset<Row> rows, long read, long known) {
  private static final String KNOWN_URL = "known_url";

  static PairTable of(MetadataSource source, FilterSettings filter, Optional<KnownPairs> known) {
    long all = source.count();
    if (known.isEmpty()) {
      return new PairTable(MetadataFilter.mark(source.rows(), filter), all, 0);
    }
    Dataset<Row> unknown = without(source.rows(), known.get().keys());
    Dataset<Row> rows = markKnownUrls(MetadataFilter.mark(unknown, filter), known.get().urls());
    long read = rows.count();
    return new PairTable(rows, read, all - read);
  }

  private static Dataset<Row> without(Dataset<Row> rows, Dataset<Row> keys) {
    Dataset<Row> other = keys.withColumnRenamed("key", "known_key");
    return rows.join(other, rows.col("key").equalTo(other.col("known_key")), "left_anti");
  }

  /** A new pair with the URL of an encoded one repeats it, as it would in one run over both. */
  private static Dataset<Row> markKnownUrls(Dataset<Row> judged, Dataset<Row> urls) {
    Dataset<Row> other = urls.withColumnRenamed("url", KNOWN_URL);
    Column repeats = col(PairRecord.REASON).isNull().and(col(KNOWN_URL).isNotNull());
    Column[] columns =
        Arrays.stream(judged.columns()).map(name -> col(name)).toArray(Column[]::new);
    return judged
        .join(other, judged.col("url").equalTo(other.col(KNOWN_URL)), "left_outer")
        .withColumn(
            PairRecord.REASON,
            coalesce(when(repeats, lit(RejectReason.DUPLICATE_URL.code())), col(PairRecord.REASON)))
        .select(columns);
  }

  /** Returns the rows by key, cut into shards and sorted in each. */
  JavaPairRDD<String, Row> shards(int partitions) {
    return rows.toJavaRDD()
        .mapToPair(row -> new Tuple2<>(row.getString(0), withoutSchema(row)))
        .repartitionAndSortWithinPartitions(new KeyRanges(partitions));
  }

  /** A row that Spark makes carries its schema, which would be shuffled with each. */
  private static Row withoutSchema(Row row) {
    Object[] values = new Object[row.size()];
    for (int column = 0; column < values.length; column++) {
      values[column] = row.get(column);
    }
    return RowFactory.create(values);
  }
}
