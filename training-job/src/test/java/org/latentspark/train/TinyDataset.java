package org.latentspark.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.latentspark.latents.Bucket;
import org.latentspark.latents.Crop;
import org.latentspark.latents.DataFile;
import org.latentspark.latents.EncodedPair;
import org.latentspark.latents.Flip;
import org.latentspark.latents.Fp16;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.LatentKind;
import org.latentspark.latents.LatentMoments;
import org.latentspark.latents.LatentShape;
import org.latentspark.latents.LatentWriter;
import org.latentspark.latents.Manifest;
import org.latentspark.latents.RowLayout;
import org.latentspark.latents.Scores;
import org.latentspark.latents.Split;
import org.latentspark.latents.WrittenFile;

/** An encoded data set of made-up latents of four kinds, each kind with a caption of its own. */
public final class TinyDataset {
  private static final LatentShape SHAPE = new LatentShape(2, 4, 4);
  private static final int TOKENS = 5;
  private static final int DIM = 12;
  private static final int KINDS = 4;

  private TinyDataset() {}

  /** Writes a data set in one file; the pairs held out come first by key. */
  static void write(Path folder, int trainRows, int validationRows, long seed) throws IOException {
    write(folder, trainRows, validationRows, seed, 1);
  }

  /** Writes a data set of three buckets of unlike frequency: 1, 3 and 2 of 6 rows. */
  static void writeBuckets(Path folder, int trainRows, int validationRows, long seed, int count)
      throws IOException {
    List<Bucket> buckets =
        List.of(
            new Bucket(12, 20, new LatentShape(2, 5, 3)),
            new Bucket(16, 16, SHAPE),
            new Bucket(20, 12, new LatentShape(2, 3, 5)));
    write(
        folder,
        new RowLayout(LatentKind.MEAN_STD, SHAPE, buckets, Flip.NONE),
        TOKENS,
        trainRows,
        validationRows,
        seed,
        count);
  }

  /** Writes a data set whose rows have a second latent, of the opposite sign. */
  static void writeFlipped(Path folder, int trainRows, long seed) throws IOException {
    RowLayout layout = new RowLayout(LatentKind.MEAN_STD, SHAPE, List.of(), Flip.BOTH);
    write(folder, layout, TOKENS, trainRows, 0, seed, 1);
  }

  /** Writes a data set in files of about as many rows each. */
  static void write(Path folder, int trainRows, int validationRows, long seed, int count)
      throws IOException {
    write(folder, SHAPE, TOKENS, trainRows, validationRows, seed, count);
  }

  /** Writes latents of any shape, with text of any number of tokens from 5 and of width 12. */
  public static void write(
      Path folder,
      LatentShape shape,
      int tokens,
      int trainRows,
      int validationRows,
      long seed,
      int count)
      throws IOException {
    RowLayout layout = RowLayout.plain(LatentKind.MEAN_STD, shape);
    write(folder, layout, tokens, trainRows, validationRows, seed, count);
  }

  private static void write(
      Path folder,
      RowLayout layout,
      int tokens,
      int trainRows,
      int validationRows,
      long seed,
      int count)
      throws IOException {
    org.apache.hadoop.fs.Path directory = new org.apache.hadoop.fs.Path(folder.toUri());
    Configuration hadoop = new Configuration();
    int rows = trainRows + validationRows;
    List<DataFile> files = new ArrayList<>();
    LatentMoments moments = LatentMoments.none(layout.shape().channels());
    for (int number = 0; number < count; number++) {
      String path = "data/part-%05d.parquet".formatted(number);
      try (LatentWriter writer = new LatentWriter(directory, path, layout, hadoop)) {
        for (int row = rows * number / count; row < rows * (number + 1) / count; row++) {
          writer.write(
              pair(
                  bucket(layout, row),
                  layout.flip(),
                  tokens,
                  row,
                  row < validationRows ? Split.VALIDATION : Split.TRAIN,
                  seed));
        }
        WrittenFile file = writer.finish();
        files.add(file.file());
        moments = moments.plus(file.moments());
      }
    }
    LatentDataset.publish(
        directory,
        new Manifest(
            Manifest.FORMAT,
            layout.buckets().isEmpty() ? Manifest.FORMAT_VERSION : Manifest.BUCKETS_FORMAT_VERSION,
            "2026-11-23T00:00:00Z",
            new Manifest.Encoders("none", new TreeMap<>()),
            new Manifest.Latent(
                Manifest.Latent.MEAN_STD,
                layout.shape(),
                1,
                moments.mean(),
                moments.std(),
                layout.buckets(),
                layout.flip()),
            new Manifest.Text(
                tokens, DIM, gaussian(seed, tokens * DIM), Arrays.copyOf(new int[] {8, 9}, tokens)),
            16,
            seed,
            (double) validationRows / rows,
            files,
            List.of(),
            new Manifest.Accounting(rows, rows, 0, new TreeMap<>())),
        hadoop);
  }

  /**
   * Writes at {@code folder} the data set that stands at {@code sound}, in one file, but for a
   * training pair whose latent is not finite.
   */
  static void spoil(Path sound, Path folder, int row, long seed) throws IOException {
    Configuration hadoop = new Configuration();
    Manifest whole =
        LatentDataset.open(new org.apache.hadoop.fs.Path(sound.toUri()), hadoop).manifest();
    org.apache.hadoop.fs.Path directory = new org.apache.hadoop.fs.Path(folder.toUri());
    String path = whole.files().get(0).path();
    RowLayout layout = RowLayout.plain(LatentKind.MEAN_STD, SHAPE);
    try (LatentWriter writer = new LatentWriter(directory, path, layout, hadoop)) {
      for (int number = 0; number < whole.accounting().encoded(); number++) {
        Split split = number < whole.rows(Split.VALIDATION) ? Split.VALIDATION : Split.TRAIN;
        EncodedPair pair = pair(bucket(layout, number), layout.flip(), TOKENS, number, split, seed);
        writer.write(number == row ? notFinite(pair) : pair);
      }
      LatentDataset.publish(
          directory,
          new Manifest(
              whole.format(),
              whole.formatVersion(),
              whole.created(),
              whole.encoders(),
              whole.latent(),
              whole.text(),
              whole.imageSize(),
              whole.seed(),
              whole.validationShare(),
              List.of(writer.finish().file()),
              List.of(),
              whole.accounting()),
          hadoop);
    }
  }

  private static EncodedPair notFinite(EncodedPair pair) {
    Arrays.fill(pair.latent(), (byte) 0x7e); // 0x7e7e is NaN in fp16
    return pair;
  }

  /** Publishes a second version, which has all pairs of the first once more. */
  static void append(Path folder) throws IOException {
    org.apache.hadoop.fs.Path directory = new org.apache.hadoop.fs.Path(folder.toUri());
    Configuration hadoop = new Configuration();
    Manifest first = LatentDataset.open(directory, hadoop).manifest();
    DataFile file = first.files().get(0);
    String path = "data/appended.parquet";
    Files.copy(folder.resolve(file.path()), folder.resolve(path));
    List<DataFile> files = new ArrayList<>(first.files());
    files.add(new DataFile(path, file.rows(), file.trainRows(), file.bytes(), file.sha256()));
    List<Manifest.Version> versions = new ArrayList<>(first.versions());
    versions.add(new Manifest.Version(2, first.created(), 0, 1, 0, first.accounting(), null));
    LatentDataset.publish(
        directory,
        new Manifest(
            first.format(),
            first.formatVersion(),
            first.created(),
            first.encoders(),
            first.latent(),
            first.text(),
            first.imageSize(),
            first.seed(),
            first.validationShare(),
            files,
            first.rejectedFiles(),
            first.accounting().plus(first.accounting()),
            first.settings(),
            versions),
        hadoop);
  }

  private static Bucket bucket(RowLayout layout, int row) {
    return layout.buckets().isEmpty()
        ? new Bucket(16, 16, layout.shape())
        : layout.buckets().get(row % 6 == 0 ? 0 : row % 2 == 0 ? 2 : 1);
  }

  private static EncodedPair pair(
      Bucket bucket, Flip flip, int tokens, int row, Split split, long seed) {
    LatentShape shape = bucket.latent();
    int kind = row % KINDS;
    float[] latent = new float[2 * shape.size()];
    float[] pattern = Fp16.toFloats(gaussian(seed + 1 + kind, shape.size()));
    float[] own = Fp16.toFloats(gaussian(seed + 100 + row, shape.size()));
    for (int index = 0; index < shape.size(); index++) {
      latent[index] = 3 * pattern[index] + 0.2f * own[index];
      latent[shape.size() + index] = 0.1f;
    }
    float[] flipped = latent.clone();
    for (int index = 0; index < shape.size(); index++) {
      flipped[index] = -latent[index];
    }
    return new EncodedPair(
        "key-%04d".formatted(row),
        "kind " + kind,
        "http://127.0.0.1/" + row,
        "%064x".formatted(row),
        null,
        16,
        16,
        new Crop(0, 0, 16, 16),
        bucket.width(),
        bucket.height(),
        Scores.NONE,
        split,
        Fp16.toBytes(latent),
        flip == Flip.BOTH ? Fp16.toBytes(flipped) : null,
        gaussian(seed + 50 + kind, tokens * DIM),
        Arrays.copyOf(new int[] {8, kind, 9}, tokens));
  }

  private static byte[] gaussian(long seed, int count) {
    Random random = new Random(seed);
    float[] values = new float[count];
    for (int index = 0; index < count; index++) {
      values[index] = (float) random.nextGaussian();
    }
    return Fp16.toBytes(values);
  }
}
