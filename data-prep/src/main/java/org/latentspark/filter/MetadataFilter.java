package org.latentspark.filter;

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
  /** The column with the code of the reason, null where the pair passes. */
  public static final String REASON = "reason";

  /** The column with what was found. */
  public static final String DETAIL = "detail";

  private static final StructType VERDICT =
      new StructType().add(REASON, DataTypes.StringType).add(DETAIL, DataTypes.StringType);

  private MetadataFilter() {}

  /**
   * Returns {@code pairs} with the columns {@link #REASON} and {@link #DETAIL} after those of
   * {@link PairRecord#COLUMNS}.
   *
   * <p>Of the pairs with one URL that pass everything else, the one with the least key (and then
   * the least values in the other columns) stays, however the rows are ordered or spread.
   */
  public static Dataset<Row> mark(Dataset<Row> pairs, FilterSettings settings) {
    Column[] columns = PairRecord.COLUMNS.stream().map(name -> col(name)).toArray(Column[]::new);
    UDF1<Row, Row> judge = row -> verdict(new PairFilter(settings), row);
    Dataset<Row> judged =
        pairs.select(col("*"), udf(judge, VERDICT).apply(struct(columns)).as("verdict"));

    Column passes = col("verdict." + REASON).isNull();
    // Rejected rows need no comparison: spread by key, they cannot gather in one task.
    Column group = when(passes, col("url")).otherwise(concat(lit("rejected "), col("key")));
    WindowSpec alike = Window.partitionBy(group).orderBy(columns);
    Column repeats = passes.and(row_number().over(alike).gt(1));
    return judged
        .withColumn("repeats", repeats)
        .select(
            col("*"),
            when(col("repeats"), lit(RejectReason.DUPLICATE_URL.code()))
                .otherwise(col("verdict." + REASON))
                .as(REASON),
            col("verdict." + DETAIL).as(DETAIL))
        .drop("verdict", "repeats");
  }

  private static Row verdict(PairFilter filter, Row row) {
    return filter
        .reject(PairRecord.ofRow(row))
        .map(rejection -> RowFactory.create(rejection.reason().code(), rejection.detail()))
        .orElseGet(() -> RowFactory.create(null, null));
  }
}
