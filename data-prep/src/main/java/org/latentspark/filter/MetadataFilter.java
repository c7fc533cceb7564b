package org.latentspark.filter;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.row_number;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.udf;
import static org.apache.spark.sql.functions.when;

import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.expressions.WindowSpec;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.latentspark.pairs.PairRecord;

/**
 * Marks the pairs of a table that are rejected before anything is fetched: by {@link PairFilter},
 * and those that repeat another's URL.
 */
public final class MetadataFilter {
  private static final StructType VERDICT =
      new StructType()
          .add(PairRecord.REASON, DataTypes.StringType)
          .add(PairRecord.DETAIL, DataTypes.StringType);

  private MetadataFilter() {}

  /**
   * Returns {@code pairs}, which have the columns of {@link PairRecord#SCHEMA}, with a reason for
   * each that is rejected; those that have one keep theirs.
   *
   * <p>Of the pairs with one URL that pass everything else, the one with the least key (and then
   * the least values in the other columns) stays, however the rows are ordered or spread.
   */
  public static Dataset<Row> mark(Dataset<Row> pairs, FilterSettings settings) {
    UDF1<Row, Row> judge = row -> verdict(new PairFilter(settings), row);
    Dataset<Row> judged =
        pairs.withColumn(
            "verdict",
            when(
                    col(PairRecord.REASON).isNotNull(),
                    struct(col(PairRecord.REASON), col(PairRecord.DETAIL)))
                .otherwise(udf(judge, VERDICT).apply(struct(withoutImage()))));

    Column passes = col("verdict." + PairRecord.REASON).isNull();
    // Rejected rows need no comparison: spread by key, they cannot gather in one task.
    Column group = when(passes, col("url")).otherwise(concat(lit("rejected "), col("key")));
    Column[] order = PairRecord.ORDER.stream().map(name -> col(name)).toArray(Column[]::new);
    WindowSpec alike = Window.partitionBy(group).orderBy(order);
    Column repeats = passes.and(row_number().over(alike).gt(1));
    return judged
        .withColumn("repeats", repeats)
        .withColumn(
            PairRecord.REASON,
            when(col("repeats"), lit(RejectReason.DUPLICATE_URL.code()))
                .otherwise(col("verdict." + PairRecord.REASON)))
        .withColumn(PairRecord.DETAIL, col("verdict." + PairRecord.DETAIL))
        .drop("verdict", "repeats");
  }

  /** Only whether there is an image matters here; its bytes need not be copied. */
  private static Column[] withoutImage() {
    return PairRecord.COLUMNS.stream()
        .map(
            name ->
                switch (name) {
                  case "image" -> lit(null).cast(DataTypes.BinaryType).as(name);
                  case "location" ->
                      coalesce(col(name), when(col("image").isNotNull(), lit("row"))).as(name);
                  default -> col(name);
                })
        .toArray(Column[]::new);
  }

  private static Row verdict(PairFilter filter, Row row) {
    return filter
        .reject(PairRecord.ofRow(row))
        .map(rejection -> RowFactory.create(rejection.reason().code(), rejection.detail()))
        .orElseGet(() -> RowFactory.create(null, null));
  }
}
