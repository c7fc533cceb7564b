package org.latentspark.prep;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.latentspark.filter.Rejection;
import org.latentspark.latents.DataFile;
import org.latentspark.latents.EncodedPair;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.LatentWriter;
import org.latentspark.latents.RejectedPair;
import org.latentspark.latents.RejectedWriter;
import org.latentspark.latents.WrittenFile;
import org.latentspark.pairs.PairRecord;

/**
 * The files that one task attempt writes, under names that no other attempt has.
 *
 * <p>Whatever happens to the attempt, its files count only once the driver lists them: there is no
 * rename and no commit protocol.
 */
final class ShardFiles implements AutoCloseable {
  private final Path dataset;
  private final String name;
  private final EncoderFacts facts;
  private final long targetBytes;
  private final Configuration configuration;
  private final List<WrittenFile> data = new ArrayList<>();
  private final SortedMap<String, Long> rejectedByReason = new TreeMap<>();
  private LatentWriter encoded;
  private RejectedWriter rejected;

  /**
   * Starts without any file.
   *
   * @param shard number of the partition, for people who look at the folder
   */
  ShardFiles(
      Path dataset, int shard, EncoderFacts facts, long targetBytes, Configuration configuration) {
    this.dataset = dataset;
    this.name = "part-%06d-%s".formatted(shard, UUID.randomUUID());
    this.facts = facts;
    this.targetBytes = targetBytes;
    this.configuration = configuration;
  }

  /** Returns whether a file of this name can have been written by this class. */
  static boolean isOurs(String fileName) {
    return fileName.matches(
        "part-\\d{6,}-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(-\\d+)?\\.parquet");
  }

  void write(EncodedPair pair) throws IOException {
    if (encoded == null) {
      String path = "%s/%s-%d.parquet".formatted(LatentDataset.DATA, name, data.size());
      encoded = new LatentWriter(dataset, path, facts.layout(), configuration);
    }
    encoded.write(pair);
    if (encoded.approximateBytes() >= targetBytes) {
      finishData();
    }
  }

  void reject(PairRecord pair, Rejection rejection) throws IOException {
    reject(
        new RejectedPair(
            pair.key(), pair.url(), pair.caption(), rejection.reason().code(), rejection.detail()));
  }

  void reject(RejectedPair pair) throws IOException {
    if (rejected == null) {
      String path = "%s/%s.parquet".formatted(LatentDataset.REJECTED, name);
      rejected = new RejectedWriter(dataset, path, configuration);
    }
    rejected.write(pair);
    rejectedByReason.merge(pair.reason(), 1L, Long::sum);
  }

  /** Completes all files. */
  ShardResult finish() throws IOException {
    finishData();
    List<DataFile> rejectedFiles = new ArrayList<>();
    if (rejected != null) {
      rejectedFiles.add(rejected.finish());
      rejected = null;
    }
    return new ShardResult(data, rejectedFiles, rejectedByReason);
  }

  private void finishData() throws IOException {
    if (encoded != null) {
      data.add(encoded.finish());
      encoded = null;
    }
  }

  /** Deletes what is unfinished; finished files of a failed attempt are swept by the driver. */
  @Override
  public void close() throws IOException {
    try {
      if (encoded != null) {
        encoded.abort();
      }
    } finally {
      if (rejected != null) {
        rejected.abort();
      }
    }
  }
}
