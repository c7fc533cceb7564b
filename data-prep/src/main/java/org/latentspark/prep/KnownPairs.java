package org.latentspark.prep;

import static org.apache.spark.sql.functions.col;

import java.util.List;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.latentspark.latents.DataFile;
import org.latentspark.latents.LatentDataset;

/** The pairs of a dataset that is added to, as tables that are read where they are needed. */
final class KnownPairs {
  private static final StructType ENCODED =
      new StructType()
          .add("key", DataTypes.StringType)
          .add("url", DataTypes.StringType)
          .add("content_sha256", DataTypes.StringType)
          .add("perceptual_hash", DataTypes.LongType);
  private static final StructType REJECTED = new StructType().add("key", DataTypes.StringType);

  private final SparkSession spark;
  private final LatentDataset dataset;

  KnownPairs(SparkSession spark, LatentDataset dataset) {
    this.spark = spark;
    this.dataset = dataset;
  }

  LatentDataset dataset() {
    return dataset;
  }

  /** Returns the keys of all pairs, encoded or rejected: column key. */
  Dataset<Row> keys() {
    return table(ENCODED, dataset.files())
        .select("key")
        .union(table(REJECTED, dataset.manifest().rejectedFiles()))
        .distinct();
  }

  /** Returns the URLs of the encoded pairs: column url. */
  Dataset<Row> urls() {
    return table(ENCODED, dataset.files()).select("url").distinct();
  }

  /** Returns the images of the encoded pairs: columns key, content_sha256, perceptual_hash. */
  Dataset<Row> contents() {
    return table(ENCODED, dataset.files())
        .select(col("key"), col("content_sha256"), col("perceptual_hash"));
  }

  private Dataset<Row> table(StructType schema, List<DataFile> files) {
    if (files.isEmpty()) {
      return spark.createDataFrame(List.<Row>of(), schema);
    }
    return spark
        .read()
        .schema(schema)
        .parquet(
            files.stream()
                .map(file -> new Path(dataset.directory(), file.path()).toString())
                .toArray(String[]::new));
  }
}
