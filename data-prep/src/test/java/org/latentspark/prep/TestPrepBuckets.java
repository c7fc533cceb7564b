package org.latentspark.prep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.InputException;
import org.latentspark.cli.UsageException;
import org.latentspark.image.Images;
import org.latentspark.latents.Bucket;
import org.latentspark.latents.Crop;
import org.latentspark.latents.EncodedPair;
import org.latentspark.latents.Flip;
import org.latentspark.latents.Fp16;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.LatentShape;
import org.latentspark.latents.Manifest;
import org.latentspark.latents.Split;

@Tag("slow")
@Timeout(600)
class TestPrepBuckets {
  private static final int PICTURES = 24;

  @TempDir static Path shared;
  private static SparkSession spark;
  private static PrepWorld world;
  private static Path source;

  @TempDir Path folder;

  @BeforeAll
  static void start() throws Exception {
    spark =
        SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "2")
            .getOrCreate();
    world = new PrepWorld(shared);
    Metadata rows = new Metadata();
    for (int number = 0; number < PICTURES; number++) {
      String path = "/shape/%d.jpg".formatted(number);
      world.server().with(path, Images.jpeg(48 * (1 + number % 3), 96, number));
      rows.with(world.server().url(path), "a red apple number " + number);
    }
    source = rows.write(spark, shared.resolve("source"));
  }

  @AfterAll
  static void stop() throws Exception {
    world.close();
    spark.stop();
  }

  @Test
  void picturesOfAllShapesBecomeADatasetWithBuckets() throws Exception {
    Manifest manifest = run("out", "image.buckets=aspect", "image.bucket-step=4");

    assertThat(manifest.formatVersion()).isEqualTo(Manifest.BUCKETS_FORMAT_VERSION);
    assertThat(manifest.latent().shape()).isEqualTo(new LatentShape(4, 4, 4));
    assertThat(manifest.latent().buckets())
        .containsExactly(
            new Bucket(12, 20, new LatentShape(4, 5, 3)),
            new Bucket(16, 16, new LatentShape(4, 4, 4)),
            new Bucket(20, 12, new LatentShape(4, 3, 5)));
    assertThat(manifest.settings()).containsEntry("image.buckets", "step 4, aspect 2.0");
    Manifest.Accounting accounting = manifest.accounting();
    assertThat(accounting.encoded()).isEqualTo(PICTURES);
    assertThat(accounting.read()).isEqualTo(accounting.encoded() + accounting.rejected());

    LatentDataset dataset = PrepWorld.open(folder.resolve("out"));
    dataset.verify();
    List<EncodedPair> pairs = PrepWorld.pairs(dataset);
    Map<Integer, Crop> crops =
        Map.of(
            48, new Crop(0, 8, 48, 80), 96, new Crop(0, 0, 96, 96), 144, new Crop(0, 5, 144, 86));
    Map<Integer, Integer> columns = Map.of(48, 12, 96, 16, 144, 20);
    for (EncodedPair pair : pairs) {
      assertThat(pair.crop()).isEqualTo(crops.get(pair.width()));
      assertThat(pair.bucketWidth()).isEqualTo(columns.get(pair.width()));
      LatentShape shape = dataset.manifest().layout().shape(pair);
      assertThat(shape.width()).isEqualTo(pair.bucketWidth() / 4);
      assertThat(pair.latent()).hasSize(2 * 2 * shape.size());
    }
    Map<String, Long> byBucket =
        pairs.stream()
            .filter(pair -> pair.split() == Split.TRAIN)
            .collect(
                Collectors.groupingBy(
                    pair -> pair.bucketWidth() + "x" + pair.bucketHeight(),
                    TreeMap::new,
                    Collectors.counting()));
    Map<String, Long> told = new TreeMap<>();
    manifest
        .files()
        .forEach(
            file ->
                file.trainRowsByBucket()
                    .forEach((bucket, count) -> told.merge(bucket, count, Long::sum)));
    assertThat(told).isEqualTo(byBucket);
  }

  /** A picture is encoded with others of its shape, whichever stand beside it in the file. */
  @Test
  void eachRowHasItsOwnPicture() throws Exception {
    run("together", "image.buckets=aspect", "image.bucket-step=4");
    run("alone", "image.buckets=aspect", "image.bucket-step=4", "batch-size=1");
    List<EncodedPair> together = PrepWorld.pairs(PrepWorld.open(folder.resolve("together")));
    List<EncodedPair> alone = PrepWorld.pairs(PrepWorld.open(folder.resolve("alone")));
    assertThat(together)
        .extracting(EncodedPair::key)
        .isEqualTo(alone.stream().map(EncodedPair::key).toList());
    for (int row = 0; row < alone.size(); row++) {
      float[] expected = Fp16.toFloats(alone.get(row).latent());
      float[] latent = Fp16.toFloats(together.get(row).latent());
      assertNear(latent, expected);
    }
  }

  @Test
  void aDatasetWithBucketsGrowsOnlyByTheSame() throws Exception {
    Manifest first = run("out", "image.buckets=aspect", "image.bucket-step=4", "limit=20");
    Manifest second = run("out", "image.buckets=aspect", "image.bucket-step=4", "existing=append");
    assertThat(second.version()).isEqualTo(2);
    assertThat(second.latent().buckets()).isEqualTo(first.latent().buckets());
    assertThat(second.accounting().encoded()).isEqualTo(PICTURES);
    PrepWorld.open(folder.resolve("out")).verify();
    assertThatThrownBy(() -> run("out", "existing=append"))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("image.buckets = none: the dataset in")
        .hasMessageContaining("was made with step 4, aspect 2.0");
  }

  /** An autoencoder of random weights has no symmetry: the mirror image's latent is another. */
  @Test
  void theSecondLatentIsThatOfTheMirrorImage() throws Exception {
    Metadata rows = new Metadata();
    Images.Painter slope = (x, y) -> 0x010100 * x * 2 + 0x20;
    Images.Painter mirrored = (x, y) -> slope.at(95 - x, y);
    world.server().with("/slope.png", Images.encode(".png", 96, 96, slope));
    world.server().with("/mirrored.png", Images.encode(".png", 96, 96, mirrored));
    rows.with(world.server().url("/slope.png"), "a slope");
    rows.with(world.server().url("/mirrored.png"), "its mirror image");
    Path images = rows.write(spark, folder.resolve("images"));
    Path output = folder.resolve("out");
    Manifest manifest = PrepJob.run(spark, world.settings(images, output, "image.flip=both"));

    assertThat(manifest.latent().flip()).isEqualTo(Flip.BOTH);
    assertThat(manifest.formatVersion()).isEqualTo(Manifest.FORMAT_VERSION);
    assertThat(manifest.accounting().encoded()).isEqualTo(2);
    LatentDataset dataset = PrepWorld.open(output);
    dataset.verify();
    List<EncodedPair> pairs = PrepWorld.pairs(dataset);
    assertThat(pairs).hasSize(2);
    for (int row = 0; row < 2; row++) {
      float[] flipped = Fp16.toFloats(pairs.get(row).flippedLatent());
      float[] other = Fp16.toFloats(pairs.get(1 - row).latent());
      assertNear(flipped, other);
      assertThat(flipped).isNotEqualTo(Fp16.toFloats(pairs.get(row).latent()));
    }
    assertThatThrownBy(() -> PrepJob.run(spark, world.settings(source, output, "existing=append")))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("image.flip = none: the dataset in");
  }

  /** What a manifest does not say, since there was no choice when it was made, is the default. */
  @Test
  void aDatasetThatKnowsNoneOfTheseKeysStillGrows() throws Exception {
    run("out", "limit=20");
    Path manifest = folder.resolve("out").resolve(Manifest.FILE_NAME);
    String json = Files.readString(manifest);
    String old =
        json.replaceAll("(?m)^ *\"image\\.(buckets|flip|resize)\" : .*\\R", "")
            .replaceAll("(?s),\\s*\"flip\" : \"none\"", "");
    assertThat(old).doesNotContain("buckets", "flip", "resize").isNotEqualTo(json);
    Files.writeString(manifest, old);
    assertThat(run("out", "existing=append").accounting().encoded()).isEqualTo(PICTURES);
    PrepWorld.open(folder.resolve("out")).verify();
    assertThatThrownBy(() -> run("out", "existing=append", "image.resize=lanczos"))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("image.resize = lanczos: the dataset in");
  }

  @Test
  void aStepThatTheAutoencoderCannotDivideIsRefused() {
    assertThatThrownBy(() -> run("out", "image.buckets=aspect", "image.bucket-step=2"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("image.bucket-step = 2: must be a multiple of 4");
  }

  /** Compares but for two steps of fp16: sums come in another order in another batch. */
  private static void assertNear(float[] actual, float[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < actual.length; i++) {
      float step = Math.max(1, Math.abs(expected[i])) / 1024;
      assertThat(actual[i]).isCloseTo(expected[i], within(2 * step));
    }
  }

  private Manifest run(String output, String... overrides) throws Exception {
    List<String> all =
        new ArrayList<>(
            List.of("fetch.connect-timeout=1 m", "fetch.read-timeout=1 m", "fetch.deadline=5 m"));
    all.addAll(List.of(overrides));
    return PrepJob.run(
        spark, world.settings(source, folder.resolve(output), all.toArray(String[]::new)));
  }
}
