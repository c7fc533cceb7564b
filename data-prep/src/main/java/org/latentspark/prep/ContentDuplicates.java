package org.latentspark.prep;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.collect_list;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.input_file_name;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.map_from_entries;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.row_number;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.substring_index;
import static org.apache.spark.sql.functions.when;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.hadoop.fs.Path;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.util.SerializableConfiguration;
import org.latentspark.filter.NearDuplicates;
import org.latentspark.filter.RejectReason;
import org.latentspark.filter.Rejection;
import org.latentspark.latents.DataFile;
import org.latentspark.latents.EncodedPair;
import org.latentspark.latents.RejectedPair;
import org.latentspark.latents.RowReader;
import org.latentspark.latents.WrittenFile;

/**
 * Removes pairs whose image, byte for byte or nearly, stands in another pair with an earlier key.
 *
 * <p>What an image holds is known only once it is fetched. Each task drops the repetitions it sees;
 * those across tasks are found here, in the files written, and the files that hold them are written
 * anew. So the pair that stays is the same however the work was cut.
 */
final class ContentDuplicates {
  /** Ranks: pairs that are known stay, whatever their keys. */
  private static final String KNOWN = "0 ";

  private static final String NEW = "1 ";

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

  /** A data file and the keys in it that have to go, each with the code of its reason. */
  private record Affected(String file, Map<String, String> losers) implements Serializable {
    Optional<Rejection> judge(EncodedPair pair) {
      return Optional.ofNullable(losers.get(pair.key()))
          .map(
              reason ->
                  RejectReason.ofCode(reason) == RejectReason.DUPLICATE_CONTENT
                      ? rejection(pair.contentSha256())
                      : RejectReason.NEAR_DUPLICATE.because(
                          "perceptual hash %016x".formatted(pair.perceptualHash())));
    }
  }

  /** A data file and what took its place. */
  private record Replacement(String file, ShardResult result) implements Serializable {}

  /** Returns {@code shards} without repeated images. */
  List<ShardResult> removeFrom(List<ShardResult> shards) {
    List<String> files =
        shards.stream()
            .flatMap(shard -> shard.data().stream())
            .map(written -> new Path(settings.output(), written.file().path()).toString())
            .toList();
    boolean near = settings.filter().nearDuplicateBits() != null;
    // Within a file the task itself has seen to repetitions of the same bytes.
    if (files.isEmpty() || (files.size() == 1 && known.isEmpty() && !near)) {
      return shards;
    }
    Map<String, ShardResult> replacements = new HashMap<>();
    for (Replacement replacement : rewrite(losers(files))) {
      replacements.put(replacement.file(), replacement.result());
    }
    return shards.stream().map(shard -> replaced(shard, replacements)).toList();
  }

  /** One row a file that holds a repetition: file name, keys with reasons. */
  private Dataset<Row> losers(List<String> files) {
    Dataset<Row> contents =
        spark
            .read()
            .parquet(files.toArray(new String[0]))
            .select(
                col("key"),
                col("content_sha256"),
                col("perceptual_hash"),
                substring_index(input_file_name(), "/", -1).as("file"));
    if (known.isPresent()) {
      contents =
          contents.union(
              known.get().contents().withColumn("file", lit(null).cast(DataTypes.StringType)));
    }
    Dataset<Row> losers = sameBytes(contents);
    if (settings.filter().nearDuplicateBits() != null) {
      losers = losers.union(nearlySame(contents, settings.filter().nearDuplicateBits()));
    }
    return losers
        .groupBy(col("file"), col("key"))
        // By their codes, the same bytes come before nearly the same image.
        .agg(min(col("reason")).as("reason"))
        .groupBy(col("file"))
        .agg(map_from_entries(collect_list(struct(col("key"), col("reason")))).as("losers"));
  }

  private static Dataset<Row> sameBytes(Dataset<Row> contents) {
    return contents
        .withColumn(
            "rank",
            row_number()
                .over(
                    Window.partitionBy(col("content_sha256"))
                        .orderBy(col("file").isNotNull(), col("key"))))
        .filter(col("rank").gt(1).and(col("file").isNotNull()))
        .select(col("file"), col("key"), lit(RejectReason.DUPLICATE_CONTENT.code()).as("reason"));
  }

  private Dataset<Row> nearlySame(Dataset<Row> contents, int differingBits) {
    JavaRDD<NearDuplicates.Image> images =
        contents
            .filter(col("perceptual_hash").isNotNull())
            .select(
                concat(when(col("file").isNull(), lit(KNOWN)).otherwise(lit(NEW)), col("key")),
                col("perceptual_hash"))
            .toJavaRDD()
            .map(row -> new NearDuplicates.Image(row.getString(0), row.getLong(1)));
    Dataset<Row> losers =
        spark
            .createDataset(
                NearDuplicates.losers(images, differingBits)
                    .filter(rank -> rank.startsWith(NEW))
                    .map(rank -> rank.substring(NEW.length()))
                    .rdd(),
                Encoders.STRING())
            .toDF("loser");
    return contents
        .join(losers, col("key").equalTo(col("loser")))
        .select(col("file"), col("key"), lit(RejectReason.NEAR_DUPLICATE.code()).as("reason"));
  }

  private List<Replacement> rewrite(Dataset<Row> losers) {
    PrepSettings taskSettings = settings;
    EncoderFacts taskFacts = facts;
    SerializableConfiguration taskConfiguration = configuration;
    Function<Row, Replacement> rewrite =
        row ->
            rewrite(
                new Affected(row.getString(0), new HashMap<>(row.getJavaMap(1))),
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
        Optional<Rejection> rejection = affected.judge(pair);
        if (rejection.isPresent()) {
          files.reject(
              new RejectedPair(
                  pair.key(),
                  pair.url(),
                  pair.caption(),
                  rejection.get().reason().code(),
                  rejection.get().detail()));
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
