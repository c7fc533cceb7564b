package org.latentspark.prep;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.SerializableConfiguration;
import org.latentspark.cli.InputException;
import org.latentspark.cli.Launcher;
import org.latentspark.cli.Settings;
import org.latentspark.cli.Verb;
import org.latentspark.cli.VerbSession;
import org.latentspark.latents.DataFile;
import org.latentspark.latents.FileReport;
import org.latentspark.latents.LatentDataset;

/** The verb {@code verify}: checks a dataset, byte for byte and row for row, on the cluster. */
public final class VerifyJob implements Verb<VerifySettings> {
  private static final int MOST_KEYS_TOLD = 20;

  /** Makes the verb; {@link #main} runs it. */
  public VerifyJob() {}

  /** Runs the verb and exits with its code. */
  public static void main(String[] arguments) {
    Launcher.main(new VerifyJob(), arguments);
  }

  @Override
  public String name() {
    return "verify";
  }

  @Override
  public String summary() {
    return "Checks an encoded dataset against its manifest and names every damaged file.";
  }

  @Override
  public List<String> references() {
    return List.of("org/latentspark/prep/verify.conf");
  }

  @Override
  public VerifySettings configure(Settings settings) {
    return VerifySettings.read(settings);
  }

  @Override
  public void run(VerifySettings settings) throws IOException {
    try (VerbSession session = VerbSession.open(VerbSession.settings(name()))) {
      SparkSession spark = session.spark();
      Configuration hadoop = spark.sparkContext().hadoopConfiguration();
      Path directory = new Path(settings.dataset());
      LatentDataset dataset = open(directory, settings.version(), hadoop);
      List<String> damage = damage(spark, dataset, settings);
      dataset.unlisted().forEach(file -> System.out.println("not in the manifest: " + file));
      if (!damage.isEmpty()) {
        throw new InputException(
            "%s\n%s is damaged: %d problems"
                .formatted(String.join("\n", damage), directory, damage.size()));
      }
      System.out.print(AccountingTable.of(dataset.manifest()));
      System.out.printf(
          "%s is sound: version %d, %d files, fingerprint %s%n",
          directory,
          dataset.manifest().version(),
          dataset.manifest().files().size() + dataset.manifest().rejectedFiles().size(),
          dataset.fingerprint());
    }
  }

  private static LatentDataset open(Path directory, int version, Configuration hadoop)
      throws IOException {
    return version == 0
        ? LatentDataset.inspect(directory, hadoop)
        : LatentDataset.inspect(directory, version, hadoop);
  }

  private static List<String> damage(
      SparkSession spark, LatentDataset dataset, VerifySettings settings) {
    List<FileReport> reports = reports(spark, dataset, settings);
    List<String> damage = new ArrayList<>();
    reports.forEach(report -> damage.addAll(report.damage()));
    boolean readable = damage.isEmpty();
    damage.addAll(dataset.manifestDamage(reports));
    if (readable) {
      damage.addAll(repeatedKeys(spark, dataset));
    }
    return damage;
  }

  private static List<FileReport> reports(
      SparkSession spark, LatentDataset dataset, VerifySettings settings) {
    int data = dataset.files().size();
    int all = data + dataset.manifest().rejectedFiles().size();
    if (all == 0) {
      return List.of();
    }
    JavaRDD<Integer> files =
        JavaSparkContext.fromSparkContext(spark.sparkContext())
            .parallelize(IntStream.range(0, all).boxed().toList(), all);
    return files
        .mapPartitions(
            new Check(
                settings,
                new SerializableConfiguration(spark.sparkContext().hadoopConfiguration())))
        .collect();
  }

  /** Checks files by their place: data files first, then those of rejected pairs. */
  private static final class Check
      implements FlatMapFunction<Iterator<Integer>, FileReport>, Serializable {
    private static final long serialVersionUID = 1L;
    private final String directory;
    private final int version;
    private final SerializableConfiguration configuration;

    Check(VerifySettings settings, SerializableConfiguration configuration) {
      this.directory = settings.dataset();
      this.version = settings.version();
      this.configuration = configuration;
    }

    @Override
    public Iterator<FileReport> call(Iterator<Integer> places) throws IOException {
      LatentDataset dataset = open(new Path(directory), version, configuration.value());
      List<DataFile> rejected = dataset.manifest().rejectedFiles();
      int data = dataset.files().size();
      List<FileReport> reports = new ArrayList<>();
      while (places.hasNext()) {
        int place = places.next();
        reports.add(
            place < data
                ? dataset.check(dataset.files().get(place))
                : dataset.checkRejected(rejected.get(place - data)));
      }
      return reports.iterator();
    }
  }

  private static List<String> repeatedKeys(SparkSession spark, LatentDataset dataset) {
    return new KnownPairs(spark, dataset)
            .contents()
            .groupBy(col("key"))
            .agg(count("*").as("times"))
            .filter(col("times").gt(1))
            .limit(MOST_KEYS_TOLD)
            .collectAsList()
            .stream()
            .map(
                (Row row) ->
                    "pair %s: stands in %d rows".formatted(row.getString(0), row.getLong(1)))
            .toList();
  }
}
