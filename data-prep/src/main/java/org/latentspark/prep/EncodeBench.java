package org.latentspark.prep;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.util.LongAccumulator;
import org.apache.spark.util.SerializableConfiguration;
import org.latentspark.cli.InputException;
import org.latentspark.cli.Launcher;
import org.latentspark.cli.Peer;
import org.latentspark.cli.Settings;
import org.latentspark.cli.Verb;
import org.latentspark.image.ImageDecoder;
import org.latentspark.pairs.PairRecord;
import org.latentspark.prep.EncodeLine.Item;
import org.latentspark.prep.ImagePipeline.Arrival;
import scala.Tuple2;

/**
 * The benchmark {@code encode}: a whole task of prep, which fetches, decodes, encodes and writes,
 * beside the bare loop of its encoder over pictures that lie ready in memory.
 */
public final class EncodeBench implements Verb<EncodeBench.Plan> {
  private static final double BUDGET = 0.9;

  /** The checked configuration. */
  record Plan(PrepSettings settings, Path images, int rounds) {}

  /** Makes the verb; {@link #main} runs it. */
  public EncodeBench() {}

  /** Runs the benchmark and exits with its code. */
  public static void main(String[] arguments) {
    Launcher.main(new EncodeBench(), arguments);
  }

  @Override
  public String name() {
    return "bench encode";
  }

  @Override
  public String summary() {
    return "Measures a task of prep beside the bare loop of its encoder.";
  }

  @Override
  public List<String> references() {
    return List.of("org/latentspark/prep/bench-encode.conf");
  }

  @Override
  public Plan configure(Settings settings) {
    List<String> keys = new ArrayList<>(List.of("source=none", "output=none"));
    for (String key : List.of("encoders", "image.size", "batch-size", "precision", "device")) {
      keys.add(key + "=" + settings.string(key));
    }
    keys.add("decode-threads=" + settings.string("decode-threads"));
    keys.add("filter.min-side=1");
    keys.add("fetch.allow-private-addresses=true");
    Settings prep = Settings.load(PrepSettings.REFERENCES, null, keys);
    return new Plan(
        prep.read(PrepSettings::read),
        Path.of(settings.required("images")),
        settings.integer("rounds", 1, 1000));
  }

  @Override
  public void run(Plan plan) throws Exception {
    PrepSettings settings = plan.settings();
    PairEncoder encoder = PairEncoder.load(settings, new Configuration());
    EncoderFacts facts = encoder.facts(settings.image());
    List<Path> images = images(plan.images());
    try (StaticFileServer server = StaticFileServer.start(plan.images(), 0)) {
      List<PairRecord> pairs =
          images.stream()
              .map(image -> pair(server.url() + image.getFileName()))
              .sorted(Comparator.comparing(PairRecord::key))
              .toList();
      List<Item> ready = ready(pairs, plan);
      bare(encoder, ready, settings.batchSize());
      pipeline(facts, settings, pairs);
      List<Double> ratios = new ArrayList<>();
      for (int round = 1; round <= plan.rounds(); round++) {
        // Side by side in time, so that what else the machine does meets both.
        double bare = bare(encoder, ready, settings.batchSize());
        FinishedShard shard = pipeline(facts, settings, pairs);
        double ours = shard.result().encoded() / shard.stats().seconds();
        ratios.add(ours / bare);
        System.out.printf(
            Locale.ROOT,
            "round %d: pipeline %.1f pairs/s, bare encoder %.1f pairs/s, encoder busy %.0f %%,"
                + " %.0f bytes a row on disk%n",
            round,
            ours,
            bare,
            100 * shard.stats().encodeSeconds() / shard.stats().seconds(),
            bytesPerRow(shard.result()));
      }
      ratios.sort(Comparator.naturalOrder());
      System.out.println(Peer.result("encode", ratios.get(ratios.size() / 2), BUDGET));
    }
  }

  private static double bytesPerRow(ShardResult result) {
    long bytes = result.data().stream().mapToLong(written -> written.file().bytes()).sum();
    return (double) bytes / result.encoded();
  }

  private static List<Path> images(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(Files::isRegularFile).toList();
    } catch (NoSuchFileException e) {
      throw new InputException("images = " + folder + ": there is no such folder", e);
    }
  }

  private static PairRecord pair(String url) {
    String caption = "a picture of " + url.substring(url.lastIndexOf('/') + 1);
    return PairRecord.ofRow(row(PairRecord.keyOf(url, caption), url, caption));
  }

  /** Decodes all pictures beforehand. */
  private static List<Item> ready(List<PairRecord> pairs, Plan plan) throws IOException {
    ImageDecoder decoder = new ImageDecoder(plan.settings().image());
    List<Item> ready = new ArrayList<>();
    for (PairRecord pair : pairs) {
      String name = pair.url().substring(pair.url().lastIndexOf('/') + 1);
      byte[] file = Files.readAllBytes(plan.images().resolve(name));
      ready.add(new Item(new Arrival(pair, "", file.length, decoder.decode(file), null), null));
    }
    return ready;
  }

  /** Returns pairs per second of the encoder alone. */
  private static double bare(PairEncoder encoder, List<Item> ready, int batchSize) {
    long start = System.nanoTime();
    for (int from = 0; from < ready.size(); from += batchSize) {
      encoder.encode(ready.subList(from, Math.min(ready.size(), from + batchSize)), batchSize);
    }
    return ready.size() * 1e9 / (System.nanoTime() - start);
  }

  /** Runs one task over all pairs and deletes what it wrote. */
  private static FinishedShard pipeline(
      EncoderFacts facts, PrepSettings settings, List<PairRecord> pairs) throws Exception {
    Path output = Files.createTempDirectory("bench-encode");
    try {
      EncodeCounters counters =
          new EncodeCounters(
              new LongAccumulator(),
              new LongAccumulator(),
              new LongAccumulator(),
              new LongAccumulator());
      Iterator<Tuple2<String, Row>> rows =
          pairs.stream()
              .map(pair -> new Tuple2<>(pair.key(), row(pair.key(), pair.url(), pair.caption())))
              .iterator();
      return new EncodeTask(
              settings.withOutput(output.toUri().toString()),
              facts,
              new SerializableConfiguration(new Configuration()),
              counters)
          .call(rows)
          .next();
    } finally {
      try (Stream<Path> files = Files.walk(output)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  /** A row of a source that knows no more of a pair. */
  private static Row row(String key, String url, String caption) {
    Object[] values = new Object[PairRecord.SCHEMA.size()];
    values[0] = key;
    values[1] = url;
    values[2] = caption;
    return RowFactory.create(values);
  }
}
