package org.latentspark.latents;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.latentspark.cli.InputException;
import org.latentspark.tensor.FileSystems;

/** Compares one file of a dataset, byte for byte and row for row, with what the manifest says. */
final class FileCheck {
  /** A file that is wrong in every row needs no thousand lines. */
  private static final int MOST_ROWS_TOLD = 5;

  private final LatentDataset dataset;
  private final Manifest manifest;
  private final DataFile file;
  private final List<String> damage = new ArrayList<>();
  private final SortedMap<String, Long> rejectedByReason = new TreeMap<>();
  private int badRows;

  private FileCheck(LatentDataset dataset, DataFile file) {
    this.dataset = dataset;
    this.manifest = dataset.manifest();
    this.file = file;
  }

  static FileReport data(LatentDataset dataset, DataFile file, Configuration configuration)
      throws IOException {
    FileCheck check = new FileCheck(dataset, file);
    if (check.bytes(configuration)) {
      check.rows();
    }
    return check.report();
  }

  static FileReport rejected(LatentDataset dataset, DataFile file, Configuration configuration)
      throws IOException {
    FileCheck check = new FileCheck(dataset, file);
    if (check.bytes(configuration)) {
      check.rejectedRows();
    }
    return check.report();
  }

  private FileReport report() {
    if (badRows > MOST_ROWS_TOLD) {
      tell("%d rows are damaged, %d of them told".formatted(badRows, MOST_ROWS_TOLD));
    }
    return new FileReport(file.path(), damage, rejectedByReason);
  }

  private void tell(String what) {
    damage.add(file.path() + ": " + what);
  }

  /** Checks length and checksum; returns whether there is a file to look into. */
  private boolean bytes(Configuration configuration) throws IOException {
    Path path = new Path(dataset.directory(), file.path());
    FileSystem files = FileSystems.of(path, configuration);
    try {
      long length = files.getFileStatus(path).getLen();
      if (length != file.bytes()) {
        tell("has %d bytes, the manifest says %d".formatted(length, file.bytes()));
      }
      try (InputStream in = files.open(path)) {
        String sha256 = Digests.sha256Hex(in);
        if (!sha256.equals(file.sha256())) {
          tell("sha256 is %s, the manifest says %s".formatted(sha256, file.sha256()));
        }
      }
      return true;
    } catch (FileNotFoundException e) {
      tell("is missing");
      return false;
    }
  }

  private void rows() {
    long rows = 0;
    long trainRows = 0;
    SortedMap<String, Long> byBucket = new TreeMap<>();
    String last = "";
    try (RowReader<EncodedPair> reader = dataset.read(file)) {
      while (reader.hasNext()) {
        EncodedPair pair = reader.next();
        rows++;
        if (pair.split() == Split.TRAIN) {
          trainRows++;
          byBucket.merge(Bucket.code(pair.bucketWidth(), pair.bucketHeight()), 1L, Long::sum);
        }
        row(pair, last);
        last = pair.key();
      }
      requireRows(rows);
      if (trainRows != file.trainRows()) {
        tell("has %d training rows, the manifest says %d".formatted(trainRows, file.trainRows()));
      }
      if (!manifest.latent().buckets().isEmpty() && !byBucket.equals(file.trainRowsByBucket())) {
        tell(
            "has training rows %s by bucket, the manifest says %s"
                .formatted(byBucket, file.trainRowsByBucket()));
      }
    } catch (InputException e) {
      tell("cannot be read beyond row %d: %s".formatted(rows, e.getCause()));
    }
  }

  private void row(EncodedPair pair, String last) {
    int embedding = 2 * manifest.text().tokens() * manifest.text().dim();
    Optional<String> fault = manifest.layout().fault(pair);
    if (fault.isPresent()) {
      tellRow(pair, fault.get());
    } else if (!Fp16.allFinite(pair.latent())) {
      tellRow(pair, "latent holds NaN or an infinity");
    } else if (pair.flippedLatent() != null && !Fp16.allFinite(pair.flippedLatent())) {
      tellRow(pair, "flipped_latent holds NaN or an infinity");
    }
    if (pair.textEmbedding().length != embedding) {
      tellRow(
          pair,
          "text_embedding has %d bytes, must have %d"
              .formatted(pair.textEmbedding().length, embedding));
    } else if (!Fp16.allFinite(pair.textEmbedding())) {
      tellRow(pair, "text_embedding holds NaN or an infinity");
    }
    if (pair.tokenIds().length != manifest.text().tokens()) {
      tellRow(
          pair,
          "has %d token_ids, must have %d"
              .formatted(pair.tokenIds().length, manifest.text().tokens()));
    }
    Split split = Split.of(pair.key(), manifest.validationShare(), manifest.seed());
    if (pair.split() != split) {
      tellRow(pair, "split is %s, must be %s".formatted(pair.split().code(), split.code()));
    }
    if (pair.key().compareTo(last) <= 0) {
      tellRow(pair, "key does not ascend, the row before has " + last);
    }
  }

  private void tellRow(EncodedPair pair, String what) {
    if (++badRows <= MOST_ROWS_TOLD) {
      tell("pair %s: %s".formatted(pair.key(), what));
    }
  }

  private void rejectedRows() {
    long rows = 0;
    try (RowReader<RejectedPair> reader = dataset.readRejected(file)) {
      while (reader.hasNext()) {
        rejectedByReason.merge(reader.next().reason(), 1L, Long::sum);
        rows++;
      }
      requireRows(rows);
    } catch (InputException e) {
      tell("cannot be read beyond row %d: %s".formatted(rows, e.getCause()));
    }
  }

  private void requireRows(long rows) {
    if (rows != file.rows()) {
      tell("has %d rows, the manifest says %d".formatted(rows, file.rows()));
    }
  }
}
