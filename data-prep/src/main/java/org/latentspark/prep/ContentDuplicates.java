package org.latentspark.prep;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.collect_list;
import static org.apache.spark.sql.functions.input_file_name;
import static org.apache.spark.sql.functions.row_number;
import static org.apache.spark.sql.functions.substring_index;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.hadoop.fs.Path;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.util.SerializableConfiguration;
import org.latentspark.filter.RejectReason;
import org.latentspark.filter.Rejection;
import org.latentspark.latents.DataFile;
import org.latentspark.latents.EncodedPair;
import org.latentspark.latents.LatentShape;
import org.latentspark.latents.RejectedPair;
import org.latentspark.latents.RowReader;
import org.latentspark.latents.WrittenFile;

/**
 * Removes pairs whose image, byte for byte, stands in another pair with an earlier key.
 *
 * <p>What an image holds is known only once it is fetched. Each task drops the repetitions it sees;
 * those across tasks are found here, in the files written, and the files that hold them are written
 * anew. So the pair that stays is the same however the work was cut.
 */
final class ContentDuplicates {
  private final SparkSession spark;
  private final PrepSettings settings;
  private final LatentShape shape;
  private final SerializableConfiguration configuration;

  ContentDuplicates(
      SparkSession spark,
      PrepSettings settings,
      LatentShape shape,
      SerializableConfiguration configuration) {
    this.spark = spark;
    this.settings = settings;
    this.shape = shape;
    this.configuration = configuration;
  }

  static Rejection rejection(String sha256) {
    return RejectReason.DUPLICATE_CONTENT.because("sha256 " + sha256);
  }

  /** A data file and the keys in it that have to go. */
  private record Affected(String file, Set<String> losers) implements Serializable {}

  /** A data file and what took its place. */
  private record Replacement(String file, ShardResult result) implements Serializable {}

  /** Returns {@code shards} without repeated images. */
  List<ShardResult> removeFrom(List<ShardResult> shards) {
    List<String> files =
        shards.stream()
            .flatMap(shard -> shard.data().stream())
            .map(written -> new Path(settings.output(), written.file().path()).toString())
            .toList();
    if (files.size() < 2) {
      return shards;
    }
    Map<String, ShardResult> replacements = new HashMap<>();
    for (Replacement replacement : rewrite(losers(files))) {
      replacements.put(replacement.file(), replacement.result());
    }
    return shards.stream().map(shard -> replaced(shard, replacements)).toList();
  }

  /** One row a file that holds a repetition: file name, keys. */
  private Dataset<Row> losers(List<String> files) {
    return spark
        .read()
        .parquet(files.toArray(new String[0]))
        .select(
            col("key"),
            col("content_sha256"),
            substring_index(input_file_name(), "/", -1).as("file"))
        .withColumn(
            "rank",
            row_number().over(Window.partitionBy(col("content_sha256")).orderBy(col("key"))))
        .filter(col("rank").gt(1))
        .groupBy(col("file"))
        .agg(collect_list(col("key")).as("keys"));
  }

  private List<Replacement> rewrite(Dataset<Row> losers) {
    PrepSettings taskSettings = settings;
    LatentShape taskShape = shape;
    SerializableConfiguration taskConfiguration = configuration;
    Function<Row, Replacement> rewrite =
        row ->
            rewrite(
                new Affected(row.getString(0), new HashSet<>(row.getList(1))),
                taskSettings,
                taskShape,
                taskConfiguration);
    return losers.toJavaRDD().map(rewrite).collect();
  }

  private static Replacement rewrite(
      Affected affected,
      PrepSettings settings,
      LatentShape shape,
      SerializableConfiguration configuration)
      throws IOException {
    Path dataset = new Path(settings.output());
    Path file = new Path(new Path(dataset, "data"), affected.file());
    try (RowReader<EncodedPair> rows = RowReader.encoded(file, configuration.value());
        ShardFiles files =
            new ShardFiles(
                dataset,
                TaskContext.getPartitionId(),
                shape,
                Long.MAX_VALUE,
                configuration.value())) {
      while (rows.hasNext()) {
        EncodedPair pair = rows.next();
        if (affected.losers().contains(pair.key())) {
          Rejection rejection = rejection(pair.contentSha256());
          files.reject(
              new RejectedPair(
                  pair.key(),
                  pair.url(),
                  pair.caption(),
                  rejection.reason().code(),
                  rejection.detail()));
        } else {
          files.write(pair);
        }
      }
      return new Replacement(affected.file(), files.finish());
    }
  }

  private static ShardResult replaced(ShardResult shard, Map<String, ShardResult> replacements) {
    List<WrittenFile> data = new ArrayList<>();
    List<DataFile> rejected = new ArrayList<>(shard.rejected());
    SortedMap<String, Long> byReason = new TreeMap<>(shard.rejectedByReason());
    for (WrittenFile written : shard.data()) {
      ShardResult replacement = replacements.get(new Path(written.file().path()).getName());
      if (replacement == null) {
        data.add(written);
      } else {
        data.addAll(replacement.data());
        rejected.addAll(replacement.rejected());
        replacement
            .rejectedByReason()
            .forEach((reason, count) -> byReason.merge(reason, count, Long::sum));
      }
    }
    return new ShardResult(data, rejected, byReason);
  }

  /** Returns the names of all files of {@code shards}, relative to the dataset. */
  static Stream<String> paths(List<ShardResult> shards) {
    return shards.stream()
        .flatMap(
            shard ->
                Stream.concat(
                    shard.data().stream().map(WrittenFile::file), shard.rejected().stream()))
        .map(DataFile::path);
  }
}
