package org.latentspark.prep;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.collect_list;
import static org.apache.spark.sql.functions.input_file_name;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.row_number;
import static org.apache.spark.sql.functions.substring_index;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.hadoop.fs.Path;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.util.SerializableConfiguration;
import org.latentspark.filter.RejectReason;
import org.latentspark.filter.Rejection;
import org.latentspark.latents.DataFile;
import org.latentspark.latents.EncodedPair;
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
  private final EncoderFacts facts;
  private final Optional<KnownPairs> known;
  private final SerializableConfiguration configuration;

  /**
   * Describes the work.
   *
   * @param known the dataset that is added to; its pairs stay
   */
  ContentDuplicates(
      SparkSession spark,
      PrepSettings settings,
      EncoderFacts facts,
      Optional<KnownPairs> known,
      SerializableConfiguration configuration) {
    this.spark = spark;
    this.settings = settings;
    this.facts = facts;
    this.known = known;
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
    if (files.isEmpty() || (files.size() == 1 && known.isEmpty())) {
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
    Dataset<Row> contents =
        spark
            .read()
            .parquet(files.toArray(new String[0]))
            .select(
                col("key"),
                col("content_sha256"),
                substring_index(input_file_name(), "/", -1).as("file"));
    if (known.isPresent()) {
      contents =
          contents.union(
              known
                  .get()
                  .contents()
                  .select(
                      col("key"),
                      col("content_sha256"),
                      lit(null).cast(DataTypes.StringType).as("file")));
    }
    return contents
        .withColumn(
            "rank",
            row_number()
                .over(
                    Window.partitionBy(col("content_sha256"))
                        .orderBy(col("file").isNotNull(), col("key"))))
        .filter(col("rank").gt(1).and(col("file").isNotNull()))
        .groupBy(col("file"))
        .agg(collect_list(col("key")).as("keys"));
  }

  private List<Replacement> rewrite(Dataset<Row> losers) {
    PrepSettings taskSettings = settings;
    EncoderFacts taskFacts = facts;
    SerializableConfiguration taskConfiguration = configuration;
    Function<Row, Replacement> rewrite =
        row ->
            rewrite(
                new Affected(row.getString(0), new HashSet<>(row.getList(1))),
                taskSettings,
                taskFacts,
                taskConfiguration);
    return losers.toJavaRDD().map(rewrite).collect();
  }

  private static Replacement rewrite(
      Affected affected,
      PrepSettings settings,
      EncoderFacts facts,
      SerializableConfiguration configuration)
      throws IOException {
    Path dataset = new Path(settings.output());
    Path file = new Path(new Path(dataset, "data"), affected.file());
    try (RowReader<EncodedPair> rows = RowReader.encoded(file, configuration.value());
        ShardFiles files =
            new ShardFiles(
                dataset,
                TaskContext.getPartitionId(),
                facts,
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
}
