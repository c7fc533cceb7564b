package org.latentspark.prep;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.util.SerializableConfiguration;
import org.latentspark.filter.PairFilter;
import org.latentspark.filter.RejectReason;
import org.latentspark.filter.Rejection;
import org.latentspark.image.CroppedImage;
import org.latentspark.image.PerceptualHash;
import org.latentspark.latents.EncodedPair;
import org.latentspark.latents.Split;
import org.latentspark.pairs.PairRecord;
import org.latentspark.prep.EncodeLine.Item;
import org.latentspark.prep.ImagePipeline.Arrival;
import scala.Tuple2;

/**
 * Encodes the pairs of one partition, which come in the order of their keys, and writes them to
 * files of its own. Fetching and decoding, encoding, and writing go on beside each other.
 */
final class EncodeTask implements FlatMapFunction<Iterator<Tuple2<String, Row>>, FinishedShard> {
  private static final long serialVersionUID = 1L;

  /** Rejections come in thousands: they are written without waiting for a batch to fill. */
  private static final int MOST_ITEMS = 4096;

  /** Batches gathered where there are buckets: few of a few make full batches of each. */
  private static final int BUCKET_BATCHES = 4;

  private final PrepSettings settings;
  private final EncoderFacts facts;
  private final SerializableConfiguration configuration;
  private final EncodeCounters counters;

  EncodeTask(
      PrepSettings settings,
      EncoderFacts facts,
      SerializableConfiguration configuration,
      EncodeCounters counters) {
    this.settings = settings;
    this.facts = facts;
    this.configuration = configuration;
    this.counters = counters;
  }

  @Override
  public Iterator<FinishedShard> call(Iterator<Tuple2<String, Row>> rows) throws Exception {
    Configuration hadoop = configuration.value();
    PairEncoder encoder = PairEncoder.shared(settings, facts.sha256(), hadoop);
    PrepMetrics metrics = PrepMetrics.ofExecutor();
    try (ImagePipeline images = new ImagePipeline(settings, hadoop, metrics);
        ShardFiles files =
            new ShardFiles(
                new Path(settings.output()),
                TaskContext.getPartitionId(),
                facts,
                settings.targetBytes(),
                hadoop);
        EncodeLine line =
            new EncodeLine(
                wanted -> encoder.encode(wanted, settings.batchSize()),
                (batch, encodings) -> write(files, batch, encodings))) {
      Shard shard = new Shard(images, line);
      while (rows.hasNext()) {
        shard.accept(rows.next()._2());
      }
      shard.finish();
      return Collections.singleton(shard.finished(files.finish())).iterator();
    }
  }

  /** One attempt at one partition, as far as the encoder. */
  private final class Shard {
    private final ImagePipeline images;
    private final EncodeLine line;
    private final PairFilter filter = new PairFilter(settings.filter());
    private final Set<String> contents = new HashSet<>();
    private final long started = System.nanoTime();
    private List<Item> batch = new ArrayList<>();
    private int wanted;
    private ShardContents rows = ShardContents.EMPTY;

    Shard(ImagePipeline images, EncodeLine line) {
      this.images = images;
      this.line = line;
    }

    void accept(Row row) throws IOException, InterruptedException {
      rows = rows.plus(row);
      PrepMetrics.ofExecutor().read().inc();
      PairRecord pair = PairRecord.ofRow(row);
      String reason = row.getString(PairRecord.COLUMNS.size());
      if (reason != null) {
        String detail = row.getString(PairRecord.COLUMNS.size() + 1);
        Rejection rejection = RejectReason.ofCode(reason).because(detail);
        add(new Item(new Arrival(pair, null, 0, null, rejection), rejection));
        return;
      }
      while (images.isFull()) {
        take(images.next());
      }
      images.start(pair);
    }

    void finish() throws IOException, InterruptedException {
      while (!images.isEmpty()) {
        take(images.next());
      }
      submit();
      line.finish();
    }

    FinishedShard finished(ShardResult result) {
      double seconds = (System.nanoTime() - started) / 1e9;
      long encodeMillis = Math.round(line.encodeSeconds() * 1e3);
      counters.encodeMillis().add(encodeMillis);
      PrepMetrics.ofExecutor().encoderMillis().inc(encodeMillis);
      return new FinishedShard(
          TaskContext.getPartitionId(),
          rows,
          result,
          new ShardStats(seconds, line.encodeSeconds(), images.bytes()));
    }

    private void take(Arrival arrival) throws IOException, InterruptedException {
      counters.bytes().add(arrival.bytes());
      PrepMetrics.ofExecutor().imageBytes().inc(arrival.bytes());
      add(
          new Item(
              arrival,
              Optional.ofNullable(arrival.rejection()).or(() -> judge(arrival)).orElse(null)));
    }

    private Optional<Rejection> judge(Arrival arrival) {
      CroppedImage image = arrival.image();
      return filter
          .dimensions(image.sourceWidth(), image.sourceHeight())
          .or(
              () ->
                  // Rows ascend by key, so that the first of the same content is the one to keep.
                  contents.add(arrival.sha256())
                      ? Optional.empty()
                      : Optional.of(ContentDuplicates.rejection(arrival.sha256())));
    }

    private void add(Item item) throws IOException, InterruptedException {
      batch.add(item);
      wanted += item.isWanted() ? 1 : 0;
      if (wanted == gathered() || batch.size() >= MOST_ITEMS) {
        submit();
      }
    }

    private int gathered() {
      return settings.batchSize() * (facts.layout().buckets().isEmpty() ? 1 : BUCKET_BATCHES);
    }

    private void submit() throws IOException, InterruptedException {
      line.submit(batch);
      batch = new ArrayList<>();
      wanted = 0;
    }
  }

  private void write(ShardFiles files, List<Item> batch, List<Encoding> encodings)
      throws IOException {
    Iterator<Encoding> next = encodings.iterator();
    for (Item item : batch) {
      if (item.isWanted()) {
        write(files, item.arrival(), next.next());
      } else {
        reject(files, item.arrival().pair(), item.rejection());
      }
      counters.pairs().add(1);
    }
  }

  private void write(ShardFiles files, Arrival arrival, Encoding encoding) throws IOException {
    PairRecord pair = arrival.pair();
    if (!encoding.isFinite()) {
      reject(files, pair, RejectReason.NOT_FINITE.because("NaN or beyond fp16's range"));
      return;
    }
    CroppedImage image = arrival.image();
    files.write(
        new EncodedPair(
            pair.key(),
            pair.caption(),
            pair.url(),
            arrival.sha256(),
            settings.filter().nearDuplicateBits() == null ? null : PerceptualHash.of(image),
            image.sourceWidth(),
            image.sourceHeight(),
            image.crop(),
            image.width(),
            image.height(),
            pair.scores(),
            Split.of(pair.key(), settings.validationShare(), settings.seed()),
            encoding.latent(),
            encoding.flippedLatent(),
            encoding.textEmbedding(),
            encoding.tokenIds()));
    counters.encoded().add(1);
    PrepMetrics.ofExecutor().encoded().inc();
  }

  private static void reject(ShardFiles files, PairRecord pair, Rejection rejection)
      throws IOException {
    files.reject(pair, rejection);
    PrepMetrics.ofExecutor().rejected(rejection.reason()).inc();
  }
}
