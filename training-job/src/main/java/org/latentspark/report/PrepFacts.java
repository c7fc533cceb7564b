package org.latentspark.report;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.fs.Path;
import org.latentspark.cli.InputException;
import org.latentspark.latents.DataFile;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.Manifest;
import org.latentspark.latents.RejectedPair;
import org.latentspark.latents.RowReader;

/**
 * What prep made of the pairs.
 *
 * @param name the dataset's directory
 * @param fingerprint hex SHA-256 of its manifest
 * @param manifest the dataset's manifest
 * @param examples some rejected pairs by reason
 */
record PrepFacts(
    String name, String fingerprint, Manifest manifest, Map<String, List<RejectedPair>> examples) {
  private static final int EXAMPLES = 3;

  /** Rejected pairs may be billions; examples of the rarest reasons are then not found. */
  private static final int MOST_ROWS = 200_000;

  /**
   * Reads the dataset in {@code directory}.
   *
   * @throws InputException when there is none
   */
  static PrepFacts read(Path directory, RunFiles files) throws IOException {
    LatentDataset dataset = LatentDataset.open(directory, files.configuration());
    return new PrepFacts(
        directory.toString(), dataset.fingerprint(), dataset.manifest(), examples(dataset, files));
  }

  /** Returns the pictures' sizes in pixels: one, or the buckets with pairs, the fullest first. */
  List<String> sizes() {
    if (manifest.latent().buckets().isEmpty()) {
      return List.of("%1$d×%1$d".formatted(manifest.imageSize()));
    }
    Map<String, Long> rows = new TreeMap<>();
    manifest
        .files()
        .forEach(
            file ->
                file.trainRowsByBucket()
                    .forEach((bucket, count) -> rows.merge(bucket, count, Long::sum)));
    return rows.entrySet().stream()
        .sorted(Map.Entry.<String, Long>comparingByValue(Comparator.reverseOrder()))
        .map(bucket -> bucket.getKey().replace('x', '×'))
        .toList();
  }

  private static Map<String, List<RejectedPair>> examples(LatentDataset dataset, RunFiles files) {
    Map<String, List<RejectedPair>> examples = new TreeMap<>();
    long wanted =
        dataset.manifest().accounting().rejectedByReason().values().stream()
            .mapToLong(count -> Math.min(count, EXAMPLES))
            .sum();
    int rows = 0;
    for (DataFile file : dataset.manifest().rejectedFiles()) {
      try (RowReader<RejectedPair> reader = dataset.readRejected(file)) {
        while (wanted > 0 && rows < MOST_ROWS && reader.hasNext()) {
          RejectedPair pair = reader.next();
          rows++;
          List<RejectedPair> same =
              examples.computeIfAbsent(pair.reason(), reason -> new ArrayList<>());
          if (same.size() < EXAMPLES) {
            same.add(pair);
            wanted--;
          }
        }
      } catch (InputException e) {
        files.remark(e.getMessage());
      }
    }
    return examples;
  }
}
