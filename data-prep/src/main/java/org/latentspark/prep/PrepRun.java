package org.latentspark.prep;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.SerializableConfiguration;
import org.latentspark.cli.InputException;
import org.latentspark.cli.UsageException;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.Manifest;
import org.latentspark.pairs.MetadataSource;
import org.latentspark.prep.PrepSettings.Existing;
import org.latentspark.tensor.OutputLease;
import org.latentspark.tensor.Shutdown;

/** One run of {@code prep}, from the source to the manifest, or from where a killed run stopped. */
final class PrepRun {
  private static final int MOST_PARTITIONS = 1_000_000;

  private final SparkSession spark;
  private final PrepSettings settings;
  private final Configuration hadoop;
  private final Path output;
  private final PairEncoder encoder;
  private final EncoderFacts facts;
  private final Journal journal;

  PrepRun(SparkSession spark, PrepSettings given) throws IOException {
    this.spark = spark;
    this.hadoop = spark.sparkContext().hadoopConfiguration();
    this.settings = given.qualified(hadoop);
    this.output = new Path(settings.output());
    try (Shutdown.Region region = Shutdown.enterUnlessBegun()) {
      this.encoder = PairEncoder.load(settings, hadoop);
    }
    this.facts = encoder.facts(settings.image());
    this.journal = new Journal(output, hadoop);
  }

  /** Makes the dataset, or its next version, and returns its manifest. */
  Manifest run() throws IOException {
    try (OutputLease lease = OutputLease.take(output, hadoop, "prep")) {
      Optional<LatentDataset> existing =
          LatentDataset.exists(output, hadoop)
              ? Optional.of(LatentDataset.inspect(output, hadoop))
              : Optional.empty();
      String base = existing.map(LatentDataset::fingerprint).orElse("");
      Optional<Journal.Plan> unfinished = journal.plan();
      if (unfinished.isPresent() && !unfinished.get().base().equals(base)) {
        // The run of this journal was killed after it had published.
        existing.ifPresent(dataset -> unfinishedEnd(dataset.manifest()));
        journal.clear();
        if (existing.isPresent()
            && settings.existing() != Existing.APPEND
            && RowRules.completed(unfinished.get().settings(), settings).equals(planned())) {
          return existing.get().manifest();
        }
        unfinished = Optional.empty();
      }
      requireAllowed(existing);
      Optional<KnownPairs> known =
          existing
              .filter(dataset -> settings.existing() == Existing.APPEND)
              .map(dataset -> new KnownPairs(spark, dataset));
      PairTable pairs = PairTable.of(source(), settings.filter(), known);
      if (known.isPresent() && pairs.read() == 0) {
        System.out.printf("Nothing new: the dataset holds all %d pairs%n", pairs.known());
        return known.get().dataset().manifest();
      }
      Leftovers.abortUploads(output, hadoop);
      Manifest manifest = make(pairs, known, plan(unfinished, base, pairs.read()));
      Leftovers.sweep(output, manifest, hadoop);
      journal.clear();
      return manifest;
    }
  }

  private void unfinishedEnd(Manifest manifest) {
    try {
      Leftovers.abortUploads(output, hadoop);
      Leftovers.sweep(output, manifest, hadoop);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void requireAllowed(Optional<LatentDataset> existing) {
    if (existing.isEmpty()) {
      return;
    }
    requireNotRefused(settings, output);
    if (settings.existing() == Existing.APPEND) {
      RowRules.requireSame(
          RowRules.of(settings, facts),
          RowRules.completed(RowRules.of(existing.get().manifest()), settings),
          "the dataset in " + output + " was made with",
          "append with that, or name another output");
    }
  }

  /** Refuses an output that holds a dataset, unless the settings say what becomes of it. */
  static void requireNotRefused(PrepSettings settings, Path output) {
    if (settings.existing() == Existing.REFUSE) {
      throw new UsageException(
          "output = %s: holds a complete dataset; name another, or set existing=append or replace"
              .formatted(output));
    }
  }

  private Manifest make(PairTable pairs, Optional<KnownPairs> known, Journal.Plan plan)
      throws IOException {
    List<FinishedShard> shards =
        new ShardRun(spark.sparkContext(), settings, facts, journal).run(pairs, plan.partitions());
    List<ShardResult> results =
        new ContentDuplicates(spark, settings, facts, known, new SerializableConfiguration(hadoop))
            .removeFrom(shards.stream().map(FinishedShard::result).toList());
    Manifest manifest =
        new ManifestMaker(settings, facts, emptyCaption())
            .make(known.map(pairsOf -> pairsOf.dataset().manifest()), results, pairs);
    ShardTable.write(output, manifest.version(), shards, hadoop);
    LatentDataset.publish(output, manifest, hadoop);
    return manifest;
  }

  private Encoding emptyCaption() {
    try (Shutdown.Region region = Shutdown.enterUnlessBegun()) {
      return encoder.encodeEmptyCaption();
    }
  }

  /** Returns the plan of the work that was left unfinished, or a new one. */
  private Journal.Plan plan(Optional<Journal.Plan> unfinished, String base, long read)
      throws IOException {
    if (unfinished.isPresent()) {
      SortedMap<String, String> before = RowRules.completed(unfinished.get().settings(), settings);
      if (before.equals(planned())) {
        return unfinished.get();
      }
      if (settings.existing() != Existing.REPLACE) {
        RowRules.requireSame(
            planned(),
            before,
            "the unfinished work in " + output + " was begun with",
            "go on with that, or start over with existing=replace");
      }
      journal.clear();
    }
    Journal.Plan plan = new Journal.Plan(partitions(read), base, planned());
    journal.begin(plan);
    return plan;
  }

  /** What must not change between a run and the one that goes on with its work. */
  private SortedMap<String, String> planned() {
    SortedMap<String, String> planned = RowRules.of(settings, facts);
    planned.put("source", settings.source().toString());
    planned.put("subset", settings.subset());
    planned.put("limit", Integer.toString(settings.limit()));
    planned.put("partitions", Integer.toString(settings.partitions()));
    planned.put("batch-size", Integer.toString(settings.batchSize()));
    planned.put("files.target-bytes", Long.toString(settings.targetBytes()));
    return planned;
  }

  private int partitions(long read) {
    if (settings.partitions() > 0) {
      return settings.partitions();
    }
    long files = read * facts.rowBytes() / settings.targetBytes() + 1;
    long atLeast = spark.sparkContext().defaultParallelism();
    return (int) Math.max(1, Math.min(Math.min(Math.max(files, atLeast), MOST_PARTITIONS), read));
  }

  private MetadataSource source() throws IOException {
    MetadataSource source = MetadataSource.open(spark, settings.source());
    if (!settings.subset().isEmpty()) {
      source = source.only(names(settings.subset()));
    }
    return settings.limit() == 0 ? source : source.first(settings.limit());
  }

  private Set<String> names(String file) throws IOException {
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
}
