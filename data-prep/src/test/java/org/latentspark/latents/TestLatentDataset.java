package org.latentspark.latents;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.InputException;

class TestLatentDataset {
  private static final LatentShape SHAPE = new LatentShape(4, 2, 2);
  private static final Configuration CONFIGURATION = new Configuration();

  @TempDir java.nio.file.Path folder;
  private Path directory;
  private final Random random = new Random(11);

  @BeforeEach
  void pickDirectory() {
    directory = new Path(folder.toUri());
  }

  @Test
  void readsBackWhatWasWritten() throws Exception {
    List<EncodedPair> pairs = pairs(50);
    publish(pairs);

    LatentDataset dataset = LatentDataset.open(directory, CONFIGURATION);
    dataset.verify();

    List<EncodedPair> read = new ArrayList<>();
    for (DataFile file : dataset.files()) {
      dataset.read(file).forEachRemaining(read::add);
    }
    assertThat(read).usingRecursiveComparison().isEqualTo(pairs);
  }

  @Test
  void readsOneSplitInOrder() throws Exception {
    List<EncodedPair> pairs = pairs(50);
    publish(pairs);
    LatentDataset dataset = LatentDataset.open(directory, CONFIGURATION);

    for (Split split : Split.values()) {
      List<String> keys = new ArrayList<>();
      dataset.read(dataset.files().get(0), split).forEachRemaining(pair -> keys.add(pair.key()));
      assertThat(keys)
          .hasSize(Math.toIntExact(dataset.manifest().rows(split)))
          .isNotEmpty()
          .isEqualTo(
              pairs.stream().filter(pair -> pair.split() == split).map(EncodedPair::key).toList());
    }
  }

  @Test
  void momentsDescribeTrainingLatentsDrawnFromTheirPosterior() throws Exception {
    List<EncodedPair> pairs = pairs(400);
    publish(pairs);
    Manifest.Latent latent = LatentDataset.open(directory, CONFIGURATION).manifest().latent();

    double sum = 0;
    double squares = 0;
    int count = 0;
    for (EncodedPair pair : pairs) {
      if (pair.split() == Split.TRAIN) {
        float[] values = Fp16.toFloats(pair.latent());
        for (int draw = 0; draw < 200; draw++) {
          for (int i = 4; i < 8; i++) {
            double value = values[i] + values[16 + i] * random.nextGaussian();
            sum += value;
            squares += value * value;
            count++;
          }
        }
      }
    }
    double mean = sum / count;
    assertThat(latent.mean()[1]).isCloseTo(mean, within(0.02));
    assertThat(latent.std()[1]).isCloseTo(Math.sqrt(squares / count - mean * mean), within(0.02));
  }

  @Test
  void refusesADirectoryWithoutManifest() throws Exception {
    writeData(pairs(3));
    assertThat(LatentDataset.exists(directory, CONFIGURATION)).isFalse();
    assertThatThrownBy(() -> LatentDataset.open(directory, CONFIGURATION))
        .isInstanceOf(InputException.class)
        .hasMessageEndingWith("is not an encoded dataset: it has no manifest.json");
  }

  @Test
  void refusesAnotherFormatVersion() throws Exception {
    publish(pairs(3));
    java.nio.file.Path manifest = folder.resolve("manifest.json");
    String json = Files.readString(manifest);
    Files.writeString(manifest, json.replace("\"format_version\" : 1", "\"format_version\" : 3"));
    assertThatThrownBy(() -> LatentDataset.open(directory, CONFIGURATION))
        .isInstanceOf(InputException.class)
        .hasMessageEndingWith("format version is 3, this build reads versions 1 to 2");
  }

  @Test
  void refusesHalfAManifest() throws Exception {
    publish(pairs(3));
    java.nio.file.Path manifest = folder.resolve("manifest.json");
    String json = Files.readString(manifest);
    Files.writeString(manifest, json.substring(0, json.length() / 2));
    assertThatThrownBy(() -> LatentDataset.open(directory, CONFIGURATION))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("is not a dataset's manifest");
  }

  @Test
  void refusesAMissingFile() throws Exception {
    publish(pairs(3));
    Files.delete(folder.resolve("data/part-0.parquet"));
    assertThatThrownBy(() -> LatentDataset.open(directory, CONFIGURATION))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("data/part-0.parquet is missing");
  }

  @Test
  void refusesAFileOfAnotherLength() throws Exception {
    publish(pairs(3));
    Files.writeString(folder.resolve("data/part-0.parquet"), "short");
    assertThatThrownBy(() -> LatentDataset.open(directory, CONFIGURATION))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("has 5 bytes, the manifest says");
  }

  @Test
  void verifyNamesAFileWithOneFlippedBit() throws Exception {
    publish(pairs(3));
    java.nio.file.Path file = folder.resolve("data/part-0.parquet");
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 2] ^= 1;
    Files.write(file, bytes);

    LatentDataset dataset = LatentDataset.open(directory, CONFIGURATION);
    assertThatThrownBy(dataset::verify)
        .isInstanceOf(InputException.class)
        .hasMessageContaining("data/part-0.parquet: sha256 is");
  }

  @Test
  void readingADamagedFileNamesIt() throws Exception {
    publish(pairs(3));
    java.nio.file.Path file = folder.resolve("data/part-0.parquet");
    byte[] bytes = Files.readAllBytes(file);
    java.util.Arrays.fill(bytes, 4, bytes.length - 4, (byte) 0);
    Files.write(file, bytes);

    LatentDataset dataset = LatentDataset.open(directory, CONFIGURATION);
    assertThatThrownBy(() -> dataset.read(dataset.files().get(0)).forEachRemaining(pair -> {}))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("data/part-0.parquet: cannot be read");
  }

  @Test
  void readsRejectedPairsWithTheirNulls() throws Exception {
    publish(pairs(3));
    LatentDataset dataset = LatentDataset.open(directory, CONFIGURATION);
    assertThat(dataset.readRejected(dataset.manifest().rejectedFiles().get(0)))
        .toIterable()
        .containsExactly(
            new RejectedPair("k1", null, null, "missing-url", null),
            new RejectedPair("k2", "http://a/b", "ümlaut", "not-found", "status 404"));
  }

  @Test
  void aWriterRefusesALatentOfAnotherShape() throws Exception {
    try (LatentWriter writer =
        new LatentWriter(directory, "data/x.parquet", new LatentShape(4, 8, 8), CONFIGURATION)) {
      assertThatThrownBy(() -> writer.write(pairs(1).get(0)))
          .hasMessageContaining("has 64 bytes, must have 1024");
    }
  }

  @Test
  void bucketsAreReadBackCountedAndChecked() throws Exception {
    RowLayout layout = publishBuckets(Map.of());
    LatentDataset dataset = LatentDataset.open(directory, CONFIGURATION);
    assertThat(dataset.damage()).isEmpty();
    assertThat(dataset.manifest().layout()).isEqualTo(layout);
    assertThat(dataset.files().get(0).trainRowsByBucket().values().stream().mapToLong(n -> n).sum())
        .isEqualTo(dataset.manifest().rows(Split.TRAIN));
    dataset
        .read(dataset.files().get(0))
        .forEachRemaining(
            pair ->
                assertThat(layout.shape(pair))
                    .isEqualTo(
                        new LatentShape(4, pair.bucketHeight() / 8, pair.bucketWidth() / 8)));
  }

  @Test
  void verifyTellsOfWrongCountsByBucket() throws Exception {
    publishBuckets(Map.of("16x16", 1L));
    assertThat(LatentDataset.open(directory, CONFIGURATION).damage())
        .singleElement()
        .asString()
        .contains("data/part-0.parquet: has training rows {")
        .contains("by bucket, the manifest says {16x16=1}");
  }

  @Test
  void aWriterRefusesABucketThatIsNone() throws Exception {
    RowLayout layout =
        new RowLayout(LatentKind.MEAN_STD, SHAPE, List.of(new Bucket(8, 16, SHAPE)), Flip.NONE);
    try (LatentWriter writer =
        new LatentWriter(directory, "data/x.parquet", layout, CONFIGURATION)) {
      assertThatThrownBy(() -> writer.write(pairs(1).get(0)))
          .hasMessageContaining("pair key-0000: bucket is 16x16, must be one of [8x16]");
    }
  }

  @Test
  void aWriterRefusesARowWithoutItsSecondLatent() throws Exception {
    RowLayout layout = new RowLayout(LatentKind.MEAN_STD, SHAPE, List.of(), Flip.BOTH);
    try (LatentWriter writer =
        new LatentWriter(directory, "data/x.parquet", layout, CONFIGURATION)) {
      assertThatThrownBy(() -> writer.write(pairs(1).get(0)))
          .hasMessageContaining("pair key-0000: flipped_latent has 0 bytes, must have 64");
    }
  }

  /** Publishes pairs in three buckets; {@code claimed} counts are told instead of the true ones. */
  private RowLayout publishBuckets(Map<String, Long> claimed) throws Exception {
    List<Bucket> buckets =
        List.of(
            new Bucket(8, 24, new LatentShape(4, 3, 1)),
            new Bucket(16, 16, SHAPE),
            new Bucket(24, 8, new LatentShape(4, 1, 3)));
    RowLayout layout = new RowLayout(LatentKind.MEAN_STD, SHAPE, buckets, Flip.BOTH);
    WrittenFile data;
    try (LatentWriter writer =
        new LatentWriter(directory, "data/part-0.parquet", layout, CONFIGURATION)) {
      int number = 0;
      for (EncodedPair pair : pairs(30)) {
        writer.write(in(pair, buckets.get(number++ % 3)));
      }
      data = writer.finish();
    }
    DataFile file = data.file();
    if (!claimed.isEmpty()) {
      file =
          new DataFile(
              file.path(),
              file.rows(),
              file.trainRows(),
              file.bytes(),
              file.sha256(),
              new TreeMap<>(claimed));
    }
    LatentDataset.publish(
        directory,
        new Manifest(
            Manifest.FORMAT,
            Manifest.BUCKETS_FORMAT_VERSION,
            "2026-01-01T00:00:00Z",
            new Manifest.Encoders("encoders", new TreeMap<>()),
            new Manifest.Latent(
                Manifest.Latent.MEAN_STD,
                SHAPE,
                1,
                data.moments().mean(),
                data.moments().std(),
                buckets,
                Flip.BOTH),
            new Manifest.Text(2, 3, Fp16.toBytes(new float[6]), new int[] {0, 1}),
            16,
            0,
            0.2,
            List.of(file),
            List.of(),
            new Manifest.Accounting(30, 30, 0, new TreeMap<>())),
        CONFIGURATION);
    return layout;
  }

  private static EncodedPair in(EncodedPair pair, Bucket bucket) {
    byte[] latent = java.util.Arrays.copyOf(pair.latent(), 2 * 2 * bucket.latent().size());
    return new EncodedPair(
        pair.key(),
        pair.caption(),
        pair.url(),
        pair.contentSha256(),
        pair.perceptualHash(),
        pair.width(),
        pair.height(),
        pair.crop(),
        bucket.width(),
        bucket.height(),
        pair.scores(),
        pair.split(),
        latent,
        latent,
        pair.textEmbedding(),
        pair.tokenIds());
  }

  private WrittenFile writeData(List<EncodedPair> pairs) throws Exception {
    try (LatentWriter writer =
        new LatentWriter(directory, "data/part-0.parquet", SHAPE, CONFIGURATION)) {
      for (EncodedPair pair : pairs) {
        writer.write(pair);
      }
      return writer.finish();
    }
  }

  private void publish(List<EncodedPair> pairs) throws Exception {
    WrittenFile data = writeData(pairs);
    DataFile rejected;
    try (RejectedWriter writer =
        new RejectedWriter(directory, "rejected/part-0.parquet", CONFIGURATION)) {
      writer.write(new RejectedPair("k1", null, null, "missing-url", null));
      writer.write(new RejectedPair("k2", "http://a/b", "ümlaut", "not-found", "status 404"));
      rejected = writer.finish();
    }
    Manifest manifest =
        new Manifest(
            Manifest.FORMAT,
            Manifest.FORMAT_VERSION,
            "2026-01-01T00:00:00Z",
            new Manifest.Encoders("encoders", new TreeMap<>(Map.of("vae", "00"))),
            new Manifest.Latent(
                Manifest.Latent.MEAN_STD,
                SHAPE,
                0.18215,
                data.moments().mean(),
                data.moments().std()),
            new Manifest.Text(2, 3, Fp16.toBytes(new float[6]), new int[] {0, 1}),
            64,
            0,
            0.2,
            List.of(data.file()),
            List.of(rejected),
            new Manifest.Accounting(
                pairs.size() + 2,
                pairs.size(),
                2,
                new TreeMap<>(Map.of("missing-url", 1L, "not-found", 1L))));
    LatentDataset.publish(directory, manifest, CONFIGURATION);
    assertThat(LatentDataset.open(directory, CONFIGURATION).manifest())
        .usingRecursiveComparison()
        .isEqualTo(manifest);
  }

  private List<EncodedPair> pairs(int count) {
    List<EncodedPair> pairs = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      float[] latent = new float[2 * SHAPE.size()];
      for (int j = 0; j < latent.length; j++) {
        latent[j] =
            j < SHAPE.size()
                ? (float) (random.nextGaussian() + j / SHAPE.width())
                : random.nextFloat();
      }
      String key = "key-%04d".formatted(i);
      pairs.add(
          new EncodedPair(
              key,
              "caption " + i,
              "http://127.0.0.1/" + i,
              Digests.sha256Hex(key.getBytes(java.nio.charset.StandardCharsets.UTF_8)),
              i % 3 == 0 ? null : Long.valueOf(random.nextLong()),
              100 + i,
              90,
              new Crop(5, 0, 90, 90),
              16,
              16,
              i % 2 == 0 ? Scores.NONE : new Scores(0.3, 0.1, null, 5.5),
              Split.of(key, 0.2, 0),
              Fp16.toBytes(latent),
              Fp16.toBytes(new float[] {i, 2, 3, 4, 5, 6}),
              new int[] {49406, i}));
    }
    return pairs;
  }
}
