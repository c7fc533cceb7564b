package org.latentspark.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
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
import org.bytedeco.pytorch.Scalar;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.InputException;
import org.latentspark.latents.EncodedPair;
import org.latentspark.latents.Fp16;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.Split;
import org.latentspark.tensor.Natives;
import org.latentspark.tensor.Tensors;

class TestLatentStream {
  private static final int ROWS = 61;
  private static final int FILES = 12;
  private static final long SEED = 3;

  /** Room for about three files in each of two windows. */
  private static final LatentStream.Limits SMALL = new LatentStream.Limits(8_000, 1);

  private static final LatentStream.Limits LARGE = new LatentStream.Limits(1 << 20, 0);

  @TempDir private Path folder;

  @BeforeAll
  static void load() {
    Natives.load();
  }

  @Test
  void anEpochHasEveryRowOnceAndEachItsOwnOrder() throws Exception {
    LatentDataset dataset = dataset();
    try (LatentStream stream = open(dataset, 0, 1, SMALL)) {
      assertThat(stream.count()).isEqualTo(ROWS);
      List<Integer> first = take(stream, 0, ROWS, 7);
      List<Integer> second = take(stream, ROWS, ROWS, 7);
      assertThat(first).containsExactlyInAnyOrderElementsOf(all());
      assertThat(second).containsExactlyInAnyOrderElementsOf(all());
      assertThat(first).isNotEqualTo(second);
      // Neighbours by key are spread: a window mixes files from anywhere.
      assertThat(spread(first)).as("mean distance of neighbours").isGreaterThan(8);
    }
  }

  @Test
  void workersShareTheFilesAndMissNone() throws Exception {
    LatentDataset dataset = dataset();
    List<Integer> rows = new ArrayList<>();
    for (int rank = 0; rank < 3; rank++) {
      try (LatentStream stream = open(dataset, rank, 3, new LatentStream.Limits(4_000, 0))) {
        rows.addAll(take(stream, 0, Math.toIntExact(stream.count()), 4));
      }
    }
    assertThat(rows).containsExactlyInAnyOrderElementsOf(all());
  }

  @Test
  void theOrderIsThatOfSeedWorkerAndEpochOnEveryMachine() throws Exception {
    try (LatentStream stream = open(dataset(), 0, 1, SMALL)) {
      assertThat(take(stream, 0, 8, 8)).containsExactly(PINNED);
    }
  }

  @Test
  void anyPositionCanBeGoneTo() throws Exception {
    LatentDataset dataset = dataset();
    List<Integer> whole;
    try (LatentStream stream = open(dataset, 0, 1, SMALL)) {
      whole = take(stream, 0, 3 * ROWS, 1);
    }
    for (int position : new int[] {0, 5, 29, ROWS - 2, ROWS, 2 * ROWS - 1, 100}) {
      try (LatentStream stream = open(dataset, 0, 1, SMALL)) {
        assertThat(take(stream, position, 12, 12))
            .as("from %d", position)
            .isEqualTo(whole.subList(position, position + 12));
        // Back to what was passed, as a round that is tried again goes.
        assertThat(take(stream, 2, 12, 6)).isEqualTo(whole.subList(2, 14));
      }
    }
  }

  @Test
  void aShareThatFitsKeepsTheOrderOfTheKeysAsItsBase() throws Exception {
    LatentDataset dataset = dataset();
    ExampleOrder order = new ExampleOrder(SEED, 1, ROWS / 2);
    List<Integer> expected = new ArrayList<>();
    for (int step = 0; step < 12; step++) {
      for (long index : order.batch(step, 5)) {
        expected.add((int) (2 * index + 1));
      }
    }
    try (LatentStream stream = open(dataset, 1, 2, LARGE)) {
      assertThat(take(stream, 0, 60, 5)).isEqualTo(expected);
    }
  }

  @Test
  @Tag("chaos")
  void aDamagedFileIsToldSkippedAndCountedAndAllElseKeepsItsPlace() throws Exception {
    LatentDataset dataset = dataset();
    List<Integer> sound;
    try (LatentStream stream = open(dataset, 0, 1, SMALL)) {
      sound = take(stream, 0, 2 * ROWS, 7);
    }
    damage(4);
    List<Integer> lost = IntStream.range(ROWS * 4 / FILES, ROWS * 5 / FILES).boxed().toList();
    PrintStream err = System.err;
    ByteArrayOutputStream told = new ByteArrayOutputStream();
    System.setErr(new PrintStream(told, true, StandardCharsets.UTF_8));
    try (LatentStream stream = open(dataset, 0, 1, SMALL)) {
      List<Integer> rows = take(stream, 0, 2 * ROWS, 7);
      assertThat(rows).hasSize(2 * ROWS).doesNotContainAnyElementsOf(lost);
      assertThat(stream.damagedFiles()).isEqualTo(1);
      int moved = 0;
      for (int place = 0; place < rows.size(); place++) {
        moved += rows.get(place).equals(sound.get(place)) ? 0 : 1;
      }
      assertThat(moved).as("places with another row").isBetween(2 * lost.size(), 2 * 3 * 6);
    } finally {
      System.setErr(err);
    }
    assertThat(told.toString(StandardCharsets.UTF_8))
        .containsOnlyOnce("data/part-00004.parquet is damaged")
        .contains("1 of at most 1 damaged files");
  }

  @Test
  @Tag("chaos")
  void moreDamagedFilesThanAllowedEndTheRun() throws Exception {
    LatentDataset dataset = dataset();
    damage(4);
    damage(7);
    try (LatentStream stream = open(dataset, 0, 1, SMALL)) {
      assertThatThrownBy(() -> take(stream, 0, ROWS, 7))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("2 damaged files, data.damaged-files allows 1")
          .hasMessageContaining("part-00004.parquet")
          .hasMessageContaining("part-00007.parquet");
    }
    assertThatThrownBy(() -> open(dataset, 0, 1, LARGE))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("data.damaged-files allows 0");
  }

  @Test
  void eachExampleShowsOneOfItsTwoLatentsDrawnByItsPosition() throws Exception {
    TinyDataset.writeFlipped(folder, ROWS, 5);
    LatentDataset dataset =
        LatentDataset.open(new org.apache.hadoop.fs.Path(folder.toUri()), new Configuration());
    Map<String, float[]> latents = new HashMap<>();
    dataset
        .read(dataset.files().get(0))
        .forEachRemaining(pair -> latents.put(pair.key(), Fp16.toFloats(pair.latent())));
    for (LatentStream.Limits limits : List.of(SMALL, LARGE)) {
      List<Boolean> drawn = mirrored(dataset, limits, latents, 3 * ROWS, 7);
      assertThat(drawn).filteredOn(flipped -> flipped).hasSizeBetween(60, 3 * ROWS - 60);
      assertThat(drawn.subList(0, ROWS)).isNotEqualTo(drawn.subList(ROWS, 2 * ROWS));
      // The size of the batch does not matter.
      assertThat(mirrored(dataset, limits, latents, 3 * ROWS, 1)).isEqualTo(drawn);
    }
  }

  /** Tells for each of the first examples whether it shows its second latent. */
  private static List<Boolean> mirrored(
      LatentDataset dataset,
      LatentStream.Limits limits,
      Map<String, float[]> latents,
      int count,
      int size) {
    List<Boolean> mirrored = new ArrayList<>();
    try (LatentStream stream = open(dataset, 0, 1, limits)) {
      for (int at = 0; at < count; at += size) {
        try (PointerScope scope = new PointerScope()) {
          LatentBatch batch = stream.batch(at, Math.min(size, count - at));
          float[] means = Tensors.floats(batch.mean().contiguous());
          int width = means.length / batch.keys().size();
          for (int row = 0; row < batch.keys().size(); row++) {
            float plain = latents.get(batch.keys().get(row))[0];
            assertThat(Math.abs(means[row * width])).isEqualTo(Math.abs(plain));
            mirrored.add(means[row * width] != plain);
          }
        }
      }
    }
    return mirrored;
  }

  @Test
  void workerBeyondTheLastRowHasAnEmptyShare() throws Exception {
    LatentDataset dataset = dataset();
    try (LatentStream last = open(dataset, ROWS - 1, ROWS + 1, LARGE);
        LatentStream beyond = open(dataset, ROWS, ROWS + 1, LARGE)) {
      assertThat(last.count()).isEqualTo(1);
      assertThat(beyond.count()).isZero();
    }
  }

  private static final Integer[] PINNED = {27, 26, 28, 59, 57, 25, 60, 56};

  private static LatentStream open(
      LatentDataset dataset, int rank, int workers, LatentStream.Limits limits) {
    return LatentStream.open(dataset, Split.TRAIN, rank, workers, SEED, limits);
  }

  /** The rows, by their numbers, of batches one after the other. */
  private List<Integer> take(LatentStream stream, long from, int count, int size) {
    List<Integer> rows = new ArrayList<>();
    for (long at = from; at < from + count; at += size) {
      try (PointerScope scope = new PointerScope()) {
        LatentBatch batch = stream.batch(at, (int) Math.min(size, from + count - at));
        float[] means =
            Tensors.floats(batch.mean().flatten(1, -1).mul(new Scalar(1.0)).contiguous());
        int width = means.length / Math.toIntExact(batch.mean().size(0));
        for (int row = 0; row * width < means.length; row++) {
          rows.add(number(means[row * width], means[row * width + 1]));
        }
        assertThat(batch.std().size(0)).isEqualTo(batch.ends().size(0));
      }
    }
    return rows;
  }

  private int number(float first, float second) {
    for (int row = 0; row < values.size(); row++) {
      if (values.get(row)[0] == first && values.get(row)[1] == second) {
        return row;
      }
    }
    throw new AssertionError("no row begins with " + first);
  }

  private final List<float[]> values = new ArrayList<>();

  private LatentDataset dataset() throws IOException {
    TinyDataset.write(folder, ROWS, 0, 5, FILES);
    LatentDataset dataset =
        LatentDataset.open(new org.apache.hadoop.fs.Path(folder.toUri()), new Configuration());
    dataset.files().forEach(file -> dataset.read(file).forEachRemaining(this::remember));
    return dataset;
  }

  private void remember(EncodedPair pair) {
    values.add(Fp16.toFloats(pair.latent()));
  }

  private void damage(int number) throws IOException {
    Path file = folder.resolve("data/part-%05d.parquet".formatted(number));
    byte[] bytes = Files.readAllBytes(file);
    java.util.Arrays.fill(bytes, 4, bytes.length / 2, (byte) 0);
    Files.write(file, bytes);
  }

  private static List<Integer> all() {
    return IntStream.range(0, ROWS).boxed().toList();
  }

  private static double spread(List<Integer> rows) {
    return IntStream.range(1, rows.size())
        .map(place -> Math.abs(rows.get(place) - rows.get(place - 1)))
        .average()
        .orElseThrow();
  }
}
