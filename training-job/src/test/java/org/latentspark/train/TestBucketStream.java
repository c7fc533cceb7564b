package org.latentspark.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.Split;
import org.latentspark.tensor.Natives;
import org.latentspark.tensor.Tensors;

/** Streams of a data set whose latents have three shapes. */
class TestBucketStream {
  private static final int ROWS = 61;
  private static final int FILES = 12;
  private static final int BATCH = 4;
  private static final long SEED = 3;

  /** Room for about three files in each of two windows. */
  private static final long SMALL = 8_000;

  private static final long LARGE = 1 << 20;

  @TempDir private Path folder;

  @BeforeAll
  static void load() {
    Natives.load();
  }

  /** The keys of a batch and the shape of its latents. */
  private record Seen(List<String> keys, List<Long> shape) {}

  @ParameterizedTest
  @ValueSource(longs = {SMALL, LARGE})
  void anEpochHasEveryRowOnceInBatchesOfOneShape(long buffer) throws Exception {
    LatentDataset dataset = dataset();
    Map<String, List<Long>> shapes = shapes(dataset);
    try (LatentStream stream = open(dataset, 0, 1, buffer)) {
      assertThat(stream.count()).isEqualTo(ROWS);
      List<Seen> first = epoch(stream, 0);
      List<Seen> second = epoch(stream, first.size());
      for (List<Seen> epoch : List.of(first, second)) {
        assertThat(keys(epoch)).containsExactlyInAnyOrderElementsOf(shapes.keySet());
        for (Seen batch : epoch) {
          assertThat(batch.keys()).hasSizeBetween(1, BATCH);
          assertThat(batch.keys())
              .allSatisfy(key -> assertThat(shapes.get(key)).isEqualTo(batch.shape()));
        }
      }
      assertThat(second).hasSameSizeAs(first).isNotEqualTo(first);
      assertThat(first).extracting(Seen::shape).as("buckets in turn").isNotEqualTo(sorted(first));
    }
  }

  @Test
  void onlyTheLastBatchOfABucketIsSmaller() throws Exception {
    try (LatentStream stream = open(dataset(), 0, 1, LARGE)) {
      List<Seen> epoch = epoch(stream, 0);
      // 11, 30 and 20 rows of the buckets.
      assertThat(epoch).hasSize(3 + 8 + 5);
      assertThat(epoch.stream().map(batch -> batch.keys().size()).filter(size -> size < BATCH))
          .containsExactlyInAnyOrder(3, 2);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {SMALL, LARGE})
  void anyStepCanBeGoneTo(long buffer) throws Exception {
    LatentDataset dataset = dataset();
    List<Seen> whole;
    try (LatentStream stream = open(dataset, 0, 1, buffer)) {
      whole = take(stream, 0, 70);
    }
    for (int step : new int[] {0, 5, 19, 23, 47, 60}) {
      try (LatentStream stream = open(dataset, 0, 1, buffer)) {
        assertThat(take(stream, step, 6)).isEqualTo(whole.subList(step, step + 6));
        // Back to what was passed, as a round that is tried again goes.
        assertThat(take(stream, 2, 6)).isEqualTo(whole.subList(2, 8));
        assertThat(take(stream, 1L << 40, 1).get(0).keys()).isNotEmpty();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {4_000, LARGE})
  void workersShareTheRowsAndMissNone(long buffer) throws Exception {
    LatentDataset dataset = dataset();
    List<String> keys = new ArrayList<>();
    for (int rank = 0; rank < 3; rank++) {
      try (LatentStream stream = open(dataset, rank, 3, buffer)) {
        keys.addAll(keys(epoch(stream, 0)));
      }
    }
    assertThat(keys).containsExactlyInAnyOrderElementsOf(shapes(dataset).keySet());
  }

  @Test
  void theOrderIsThatOfSeedWorkerAndEpochOnEveryMachine() throws Exception {
    try (LatentStream stream = open(dataset(), 0, 1, SMALL)) {
      assertThat(take(stream, 0, 2)).extracting(Seen::keys).isEqualTo(PINNED);
    }
  }

  @Test
  void aPositionWithinABatchIsRefused() throws Exception {
    try (LatentStream stream = open(dataset(), 0, 1, LARGE)) {
      assertThatThrownBy(() -> stream.batch(3, BATCH))
          .hasMessage("position 3 is not at the start of a batch of 4");
    }
  }

  @Test
  @Tag("chaos")
  void aDamagedFileIsSkippedAndBatchesKeepTheirShape() throws Exception {
    LatentDataset dataset = dataset();
    List<Seen> sound;
    try (LatentStream stream = open(dataset, 0, 1, SMALL)) {
      sound = epoch(stream, 0);
    }
    Path file = folder.resolve("data/part-00004.parquet");
    byte[] bytes = Files.readAllBytes(file);
    java.util.Arrays.fill(bytes, 4, bytes.length / 2, (byte) 0);
    Files.write(file, bytes);
    PrintStream err = System.err;
    System.setErr(new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8));
    try (LatentStream stream = open(dataset, 0, 1, SMALL)) {
      List<Seen> rows = take(stream, 0, sound.size());
      assertThat(rows).extracting(Seen::shape).isEqualTo(shapesOf(sound));
      List<String> lost =
          IntStream.range(ROWS * 4 / FILES, ROWS * 5 / FILES)
              .mapToObj("key-%04d"::formatted)
              .toList();
      assertThat(keys(rows)).hasSize(ROWS).doesNotContainAnyElementsOf(lost);
      assertThat(stream.damagedFiles()).isEqualTo(1);
    } finally {
      System.setErr(err);
    }
  }

  private static final List<List<String>> PINNED =
      List.of(List.of("key-0011", "key-0013"), List.of("key-0004", "key-0014"));

  private LatentDataset dataset() throws Exception {
    TinyDataset.writeBuckets(folder, ROWS, 0, 5, FILES);
    return LatentDataset.open(new org.apache.hadoop.fs.Path(folder.toUri()), new Configuration());
  }

  private static LatentStream open(LatentDataset dataset, int rank, int workers, long buffer) {
    LatentStream.Limits limits = new LatentStream.Limits(buffer, 1);
    return LatentStream.open(dataset, Split.TRAIN, rank, workers, SEED, limits);
  }

  /** The batches from a step on until the rows of an epoch are through. */
  private static List<Seen> epoch(LatentStream stream, long from) {
    List<Seen> batches = new ArrayList<>();
    for (long rows = 0;
        rows < stream.count();
        rows += batches.get(batches.size() - 1).keys().size()) {
      batches.addAll(take(stream, from + batches.size(), 1));
    }
    return batches;
  }

  private static List<Seen> take(LatentStream stream, long from, int count) {
    List<Seen> batches = new ArrayList<>();
    for (long step = from; step < from + count; step++) {
      try (PointerScope scope = new PointerScope()) {
        LatentBatch batch = stream.batch(step * BATCH, BATCH);
        long[] shape = Tensors.sizes(batch.mean());
        assertThat(shape[0]).isEqualTo(batch.keys().size());
        assertThat(Tensors.sizes(batch.std())).isEqualTo(shape);
        batches.add(new Seen(batch.keys(), List.of(shape[1], shape[2], shape[3])));
      }
    }
    return batches;
  }

  private static List<String> keys(List<Seen> batches) {
    return batches.stream().flatMap(batch -> batch.keys().stream()).toList();
  }

  private static List<List<Long>> shapesOf(List<Seen> batches) {
    return batches.stream().map(Seen::shape).toList();
  }

  private static List<List<Long>> sorted(List<Seen> batches) {
    return shapesOf(batches).stream().sorted((a, b) -> Long.compare(a.get(1), b.get(1))).toList();
  }

  private static Map<String, List<Long>> shapes(LatentDataset dataset) {
    Map<String, List<Long>> shapes = new HashMap<>();
    dataset
        .files()
        .forEach(
            file ->
                dataset
                    .read(file)
                    .forEachRemaining(
                        pair ->
                            shapes.put(
                                pair.key(),
                                List.of(2L, pair.bucketHeight() / 4L, pair.bucketWidth() / 4L))));
    return shapes;
  }
}
