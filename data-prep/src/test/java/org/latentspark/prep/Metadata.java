package org.latentspark.prep;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** Writes LAION-style metadata for tests. */
final class Metadata {
  private static final StructType SCHEMA =
      new StructType()
          .add("URL", DataTypes.StringType)
          .add("TEXT", DataTypes.StringType)
          .add("WIDTH", DataTypes.IntegerType)
          .add("HEIGHT", DataTypes.DoubleType)
          .add("similarity", DataTypes.DoubleType)
          .add("punsafe", DataTypes.FloatType)
          .add("pwatermark", DataTypes.DoubleType)
          .add("AESTHETIC_SCORE", DataTypes.FloatType)
          .add("hash", DataTypes.LongType);

  private final List<Row> rows = new ArrayList<>();

  Metadata with(String url, String text) {
    return with(url, text, 64, 64.0, null);
  }

  Metadata with(String url, String text, Integer width, Double height, Float punsafe) {
    rows.add(RowFactory.create(url, text, width, height, null, punsafe, null, null, 1L));
    return this;
  }

  int size() {
    return rows.size();
  }

  /** Writes the rows as several Parquet files in {@code folder}. */
  Path write(SparkSession spark, Path folder) {
    spark.createDataFrame(rows, SCHEMA).repartition(3).write().parquet(folder.toUri().toString());
    return folder;
  }
}
