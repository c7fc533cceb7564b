package org.latentspark.prep;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.LongAccumulator;
import org.apache.spark.util.SerializableConfiguration;
import org.latentspark.cli.InputException;
import org.latentspark.cli.Launcher;
import org.latentspark.cli.Settings;
import org.latentspark.cli.UsageException;
import org.latentspark.cli.Verb;
import org.latentspark.filter.MetadataFilter;
import org.latentspark.filter.RejectReason;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.LatentMoments;
import org.latentspark.latents.Manifest;
import org.latentspark.latents.WrittenFile;
import org.latentspark.pairs.MetadataSource;
import org.latentspark.pairs.PairRecord;
import org.latentspark.tensor.OutputLease;
import scala.Tuple2;

/**
 * The verb {@code prep}: metadata, filter, fetch, decode, encode, dataset.
 *
 * <p>Each task writes files of its own under names of their own; the driver writes the manifest
 * last and lists the files of the successful attempts only. So a retried or speculative task never
 * counts twice, and nothing depends on renames.
 */
public final class PrepJob implements Verb<PrepSettings> {
  /** Runs the verb. */
  public static void main(String[] arguments) {
    Launcher.main(new PrepJob(), arguments);
  }

  @Override
  public String name() {
    return "prep";
  }

  @Override
  public String summary() {
    return "Encodes image-text pairs into a dataset of latents and text embeddings.";
  }

  @Override
  public List<String> references() {
    return PrepSettings.REFERENCES;
  }

  @Override
  public PrepSettings configure(Settings settings) {
    return PrepSettings.read(settings);
  }

  @Override
  public void run(PrepSettings settings) throws IOException {
    SparkConf conf =
        new SparkConf()
            .setIfMissing("spark.master", "local[*]")
            .setIfMissing("spark.app.name", "latentspark prep")
            .setIfMissing("spark.ui.showConsoleProgress", "false");
    try (SparkSession spark = SparkSession.builder().config(conf).getOrCreate();
        OutputLease lease =
            OutputLease.take(
                new Path(settings.output()), spark.sparkContext().hadoopConfiguration(), name())) {
      Manifest manifest = run(spark, settings);
      System.out.print(AccountingTable.of(manifest));
      System.out.println("dataset: " + settings.output());
    }
  }

  /** Makes the dataset and returns its manifest. */
  static Manifest run(SparkSession spark, PrepSettings given) throws IOException {
    Configuration hadoop = spark.sparkContext().hadoopConfiguration();
    PrepSettings settings = given.qualified(hadoop);
    Path output = new Path(settings.output());
    if (settings.existing() == PrepSettings.Existing.KEEP && LatentDataset.exists(output, hadoop)) {
      throw new UsageException(
          "output = %s: holds a complete dataset; name another or set overwrite=true"
              .formatted(output));
    }
    PairEncoder encoder = PairEncoder.load(settings.encoders(), hadoop);
    EncoderFacts facts = encoder.facts(settings.image().size());
    MetadataSource source = source(spark, settings, hadoop);
    long read = source.rows().count() + source.unreadable().size();
    List<ShardResult> shards = encode(spark, settings, facts, source, read);
    Manifest manifest = manifest(settings, facts, encoder.encodeEmptyCaption(), shards, read);
    LatentDataset.publish(output, manifest, hadoop);
    sweep(output, shards, hadoop);
    return manifest;
  }

  private static MetadataSource source(
      SparkSession spark, PrepSettings settings, Configuration hadoop) throws IOException {
    MetadataSource source = MetadataSource.open(spark, settings.source());
    if (!settings.subset().isEmpty()) {
      source = source.only(names(settings.subset(), hadoop));
    }
    return settings.limit() == 0 ? source : source.first(settings.limit());
  }

  private static Set<String> names(String file, Configuration hadoop) throws IOException {
    Path path = new Path(file);
    try (InputStream in = path.getFileSystem(hadoop).open(path)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .map(String::strip)
          .filter(line -> !line.isEmpty())
          .collect(Collectors.toSet());
    } catch (FileNotFoundException e) {
      throw new InputException("subset = " + file + ": there is no such file", e);
    }
  }

  private static List<ShardResult> encode(
      SparkSession spark,
      PrepSettings settings,
      EncoderFacts facts,
      MetadataSource source,
      long read) {
    SerializableConfiguration hadoop =
        new SerializableConfiguration(spark.sparkContext().hadoopConfiguration());
    int partitions = partitions(settings, facts, read, spark.sparkContext().defaultParallelism());
    LongAccumulator done = spark.sparkContext().longAccumulator("pairs");
    List<ShardResult> shards;
    try (ProgressFeed progress = ProgressFeed.start(spark.sparkContext(), done, read)) {
      shards =
          byKey(source, settings)
              .repartitionAndSortWithinPartitions(new KeyRanges(partitions))
              .mapPartitions(new EncodeTask(settings, facts, hadoop, done))
              .collect();
    }
    return new ContentDuplicates(spark, settings, facts.latentShape(), hadoop).removeFrom(shards);
  }

  /** Every pair that counts as read, with the verdict of the filter on it. */
  private static JavaPairRDD<String, Row> byKey(MetadataSource source, PrepSettings settings) {
    Dataset<Row> judged = MetadataFilter.mark(source.rows(), settings.filter());
    List<Row> unreadable =
        source.unreadable().stream()
            .map(
                file ->
                    RowFactory.create(
                        PairRecord.keyOf(file.path(), null),
                        file.path(),
                        null,
                        null,
                        null,
                        null,
                        null,
                        null,
                        null,
                        RejectReason.UNREADABLE_SOURCE.code(),
                        file.cause()))
            .toList();
    Dataset<Row> all =
        unreadable.isEmpty()
            ? judged
            : judged.union(judged.sparkSession().createDataFrame(unreadable, judged.schema()));
    return all.toJavaRDD().mapToPair(row -> new Tuple2<>(row.getString(0), row));
  }

  private static int partitions(
      PrepSettings settings, EncoderFacts facts, long read, int parallelism) {
    if (settings.partitions() > 0) {
      return settings.partitions();
    }
    long files = read * facts.rowBytes() / settings.targetBytes() + 1;
    long atMost = Math.min(Math.max(files, parallelism), 1_000_000);
    return (int) Math.max(1, Math.min(atMost, read));
  }

  private static Manifest manifest(
      PrepSettings settings,
      EncoderFacts facts,
      Encoding empty,
      List<ShardResult> shards,
      long read) {
    LatentMoments moments = LatentMoments.none(facts.latentShape().channels());
    List<WrittenFile> data = shards.stream().flatMap(shard -> shard.data().stream()).toList();
    for (WrittenFile written : data) {
      moments = moments.plus(written.moments());
    }
    return new Manifest(
        Manifest.FORMAT,
        Manifest.FORMAT_VERSION,
        Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
        new Manifest.Encoders(new Path(settings.encoders()).getName(), facts.sha256()),
        new Manifest.Latent(
            Manifest.Latent.MEAN_STD,
            facts.latentShape(),
            facts.scalingFactor(),
            moments.mean(),
            moments.std()),
        new Manifest.Text(facts.tokens(), facts.dim(), empty.textEmbedding(), empty.tokenIds()),
        settings.image().size(),
        settings.seed(),
        settings.validationShare(),
        data.stream().map(WrittenFile::file).toList(),
        shards.stream().flatMap(shard -> shard.rejected().stream()).toList(),
        accounting(shards, read));
  }

  private static Manifest.Accounting accounting(List<ShardResult> shards, long read) {
    SortedMap<String, Long> byReason = new TreeMap<>();
    for (ShardResult shard : shards) {
      shard.rejectedByReason().forEach((reason, count) -> byReason.merge(reason, count, Long::sum));
    }
    long encoded = shards.stream().mapToLong(ShardResult::encoded).sum();
    long rejected = byReason.values().stream().mapToLong(Long::longValue).sum();
    if (read != encoded + rejected) {
      throw new IllegalStateException(
          "read %d pairs, but encoded %d and rejected %d; the source changed meanwhile?"
              .formatted(read, encoded, rejected));
    }
    return new Manifest.Accounting(read, encoded, rejected, byReason);
  }

  /** Deletes what failed attempts and earlier runs have left; only files of this job's making. */
  private static void sweep(Path output, List<ShardResult> shards, Configuration hadoop)
      throws IOException {
    Set<String> listed = ContentDuplicates.paths(shards).collect(Collectors.toSet());
    FileSystem files = output.getFileSystem(hadoop);
    for (String folder : List.of(LatentDataset.DATA, LatentDataset.REJECTED)) {
      for (FileStatus file : list(files, new Path(output, folder))) {
        String name = file.getPath().getName();
        if (ShardFiles.isOurs(name) && !listed.contains(folder + "/" + name)) {
          files.delete(file.getPath(), false);
        }
      }
    }
  }

  private static List<FileStatus> list(FileSystem files, Path folder) throws IOException {
    try {
      return new ArrayList<>(List.of(files.listStatus(folder)));
    } catch (FileNotFoundException e) {
      return List.of();
    }
  }
}
