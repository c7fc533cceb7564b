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
import org.apache.spark.util.LongAccumulator;
import org.apache.spark.util.SerializableConfiguration;
import org.latentspark.filter.PairFilter;
import org.latentspark.filter.RejectReason;
import org.latentspark.filter.Rejection;
import org.latentspark.image.SquareImage;
import org.latentspark.latents.EncodedPair;
import org.latentspark.latents.Fp16;
import org.latentspark.latents.Split;
import org.latentspark.pairs.PairRecord;
import org.latentspark.prep.ImagePipeline.Arrival;
import scala.Tuple2;

/**
 * Encodes the pairs of one partition, which come in the order of their keys, and writes them to
 * files of its own.
 */
final class EncodeTask implements FlatMapFunction<Iterator<Tuple2<String, Row>>, ShardResult> {
  private static final long serialVersionUID = 1L;

  private final PrepSettings settings;
  private final EncoderFacts facts;
  private final SerializableConfiguration configuration;
  private final LongAccumulator done;

  /**
   * Describes the task.
   *
   * @param done counts pairs for the progress line; the accounting does not depend on it
   */
  EncodeTask(
      PrepSettings settings,
      EncoderFacts facts,
      SerializableConfiguration configuration,
      LongAccumulator done) {
    this.settings = settings;
    this.facts = facts;
    this.configuration = configuration;
    this.done = done;
  }

  @Override
  public Iterator<ShardResult> call(Iterator<Tuple2<String, Row>> rows) throws Exception {
    Configuration hadoop = configuration.value();
    PairEncoder encoder = PairEncoder.shared(settings.encoders(), facts.sha256(), hadoop);
    try (ImagePipeline images = new ImagePipeline(settings);
        ShardFiles files =
            new ShardFiles(
                new Path(settings.output()),
                TaskContext.getPartitionId(),
                facts.latentShape(),
                settings.targetBytes(),
                hadoop)) {
      Shard shard = new Shard(encoder, images, files);
      while (rows.hasNext()) {
        shard.accept(rows.next()._2());
      }
      return Collections.singleton(shard.finish()).iterator();
    }
  }

  /** One attempt at one partition. */
  private final class Shard {
    private final PairEncoder encoder;
    private final ImagePipeline images;
    private final ShardFiles files;
    private final PairFilter filter = new PairFilter(settings.filter());
    private final Set<String> contents = new HashSet<>();
    private final List<Arrival> batch = new ArrayList<>();

    Shard(PairEncoder encoder, ImagePipeline images, ShardFiles files) {
      this.encoder = encoder;
      this.images = images;
      this.files = files;
    }

    void accept(Row row) throws IOException, InterruptedException {
      PairRecord pair = PairRecord.ofRow(row);
      String reason = row.getString(PairRecord.COLUMNS.size());
      if (reason != null) {
        String detail = row.getString(PairRecord.COLUMNS.size() + 1);
        reject(pair, RejectReason.ofCode(reason).because(detail));
        return;
      }
      while (images.isFull()) {
        take(images.next());
      }
      images.start(pair);
    }

    ShardResult finish() throws IOException, InterruptedException {
      while (!images.isEmpty()) {
        take(images.next());
      }
      encode();
      return files.finish();
    }

    private void take(Arrival arrival) throws IOException {
      Optional<Rejection> rejection =
          Optional.ofNullable(arrival.rejection()).or(() -> judge(arrival));
      if (rejection.isPresent()) {
        reject(arrival.pair(), rejection.get());
        return;
      }
      batch.add(arrival);
      if (batch.size() == settings.batchSize()) {
        encode();
      }
    }

    private Optional<Rejection> judge(Arrival arrival) {
      SquareImage image = arrival.image();
      return filter
          .side(image.sourceWidth(), image.sourceHeight())
          .or(
              () ->
                  // Rows ascend by key, so that the first of the same content is the one to keep.
                  contents.add(arrival.sha256())
                      ? Optional.empty()
                      : Optional.of(ContentDuplicates.rejection(arrival.sha256())));
    }

    private void encode() throws IOException {
      if (batch.isEmpty()) {
        return;
      }
      List<Encoding> encodings =
          encoder.encode(
              batch.stream().map(Arrival::image).toList(),
              batch.stream().map(arrival -> arrival.pair().caption()).toList());
      for (int i = 0; i < batch.size(); i++) {
        write(batch.get(i), encodings.get(i));
      }
      batch.clear();
    }

    private void write(Arrival arrival, Encoding encoding) throws IOException {
      PairRecord pair = arrival.pair();
      if (!Fp16.allFinite(encoding.latent()) || !Fp16.allFinite(encoding.textEmbedding())) {
        reject(pair, RejectReason.NOT_FINITE.because("NaN or beyond fp16's range"));
        return;
      }
      SquareImage image = arrival.image();
      files.write(
          new EncodedPair(
              pair.key(),
              pair.caption(),
              pair.url(),
              arrival.sha256(),
              image.sourceWidth(),
              image.sourceHeight(),
              image.crop(),
              image.size(),
              image.size(),
              pair.scores(),
              Split.of(pair.key(), settings.validationShare(), settings.seed()),
              encoding.latent(),
              encoding.textEmbedding(),
              encoding.tokenIds()));
      done.add(1);
    }

    private void reject(PairRecord pair, Rejection rejection) throws IOException {
      files.reject(pair, rejection);
      done.add(1);
    }
  }
}
