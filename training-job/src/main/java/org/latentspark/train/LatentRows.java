package org.latentspark.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.latentspark.latents.DataFile;
import org.latentspark.latents.EncodedPair;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.LatentKind;
import org.latentspark.latents.LatentShape;
import org.latentspark.latents.Manifest;
import org.latentspark.latents.RowLayout;
import org.latentspark.latents.Split;
import org.latentspark.tensor.Tensors;

/** Rows of an encoded data set, in memory as fp16. */
final class LatentRows implements AutoCloseable {
  private final List<String> keys = new ArrayList<>();
  private final List<LatentShape> shapes = new ArrayList<>();
  private final List<List<Integer>> byBucket = new ArrayList<>();
  private final RowLayout layout;
  private final int encodings;
  private final int capacity;
  private final Tensor latents;
  private final Tensor text;
  private final Tensor ends;

  private LatentRows(Manifest manifest, int capacity) {
    this.layout = manifest.layout();
    this.encodings = layout.flip().encodings();
    this.capacity = capacity;
    for (int bucket = 0; bucket < Math.max(1, layout.buckets().size()); bucket++) {
      byBucket.add(new ArrayList<>());
    }
    try (PointerScope scope = new PointerScope()) {
      // Each latent begins its row; those of smaller buckets leave the rest of it unused.
      latents = halves((long) capacity * encodings, layout.kind().bytes(layout.shape()) / 2);
      text = halves(capacity, manifest.text().tokens(), manifest.text().dim());
      ends = torch.zeros(new long[] {capacity}, new TensorOptions(ScalarType.Long));
      latents.retainReference();
      text.retainReference();
      ends.retainReference();
    }
  }

  /** Returns how many bytes of memory a row takes. */
  static long rowBytes(Manifest manifest) {
    return manifest.layout().mostBytes()
        + 2L * manifest.text().tokens() * manifest.text().dim()
        + Long.BYTES;
  }

  /**
   * Reads the share of worker {@code rank} of {@code workers} in a split's first {@code most} rows:
   * rows go to workers in turn, in the order of their keys, so the share does not depend on how the
   * data set is cut into files.
   */
  static LatentRows share(
      LatentDataset dataset, Split split, int rank, int workers, long most, DamageBudget budget) {
    long rows = Math.min(most, dataset.manifest().rows(split));
    int capacity = Math.toIntExact((rows - rank + workers - 1) / workers);
    LatentRows own = new LatentRows(dataset.manifest(), Math.max(0, capacity));
    try (KeyOrder all = new KeyOrder(dataset, split, budget)) {
      for (long index = 0; index < rows && all.hasNext(); index++) {
        EncodedPair pair = all.next();
        if (index % workers == rank) {
          own.add(pair);
        }
      }
    }
    return own;
  }

  /** Reads a split's rows in some files, in their order. */
  static LatentRows files(
      LatentDataset dataset, Split split, List<DataFile> files, DamageBudget budget) {
    long capacity = files.stream().mapToLong(file -> file.rows(split)).sum();
    LatentRows rows = new LatentRows(dataset.manifest(), Math.toIntExact(capacity));
    for (DataFile file : files) {
      KeyOrder.readable(dataset, file, split, budget).forEach(rows::add);
    }
    return rows;
  }

  private void add(EncodedPair pair) {
    int row = keys.size();
    if (row == capacity) {
      throw new IllegalStateException("more rows than the " + capacity + " of the manifest");
    }
    try (PointerScope scope = new PointerScope()) {
      put(latents, (long) row * encodings, pair.latent());
      if (encodings == 2) {
        put(latents, (long) row * encodings + 1, pair.flippedLatent());
      }
      put(text, row, pair.textEmbedding());
      put(ends, row, new byte[] {(byte) end(pair.tokenIds()), (byte) (end(pair.tokenIds()) >> 8)});
    }
    byBucket.get(bucket(pair)).add(row);
    shapes.add(layout.shape(pair));
    keys.add(pair.key());
  }

  private int bucket(EncodedPair pair) {
    return layout
        .bucket(pair.bucketWidth(), pair.bucketHeight())
        .map(layout.buckets()::indexOf)
        .orElse(0);
  }

  /** Copies little-endian bytes to the begin of a row. */
  private static void put(Tensor target, long row, byte[] bytes) {
    long rowBytes = target.nbytes() / target.size(0);
    new BytePointer(target.data_ptr())
        .capacity(target.nbytes())
        .position(row * rowBytes)
        .put(bytes, 0, bytes.length);
  }

  /** Returns the position of the end token, CLIP's pooling place: the first of the highest id. */
  static int end(int[] tokenIds) {
    int position = 0;
    for (int index = 1; index < tokenIds.length; index++) {
      if (tokenIds[index] > tokenIds[position]) {
        position = index;
      }
    }
    return position;
  }

  /** Returns how many rows there are. */
  int count() {
    return keys.size();
  }

  /** Returns the keys in the order of the rows. */
  List<String> keys() {
    return keys;
  }

  /**
   * Returns the rows of a bucket, by its place in the manifest; without buckets all rows are 0's.
   */
  List<Integer> rowsOf(int bucket) {
    return byBucket.get(bucket);
  }

  /** Returns the rows of the bucket that has the most. */
  List<Integer> mostOfOneBucket() {
    return byBucket.stream().max(Comparator.comparingInt(List::size)).orElseThrow();
  }

  /** Returns how many latents each row has. */
  int encodings() {
    return encodings;
  }

  /** Returns some of the rows with their first latents. */
  LatentBatch batch(long... rows) {
    return batch(rows, new int[rows.length]);
  }

  /**
   * Returns some of the rows.
   *
   * @param rows their places, in any order; all have latents of one shape
   * @param chosen which of its latents each row shows, 0 or 1
   */
  LatentBatch batch(long[] rows, int[] chosen) {
    LatentShape shape = shapes.get((int) rows[0]);
    for (long row : rows) {
      if (!shapes.get((int) row).equals(shape)) {
        throw new IllegalArgumentException(
            "pairs %s and %s have latents of unlike shapes, %s and %s"
                .formatted(
                    keys.get((int) rows[0]), keys.get((int) row), shape, shapes.get((int) row)));
      }
    }
    Tensor places = Tensors.of(rows, rows.length);
    long channels = (long) layout.kind().bytes(shape) / 2 / shape.height() / shape.width();
    Tensor stored =
        latents
            .narrow(1, 0, layout.kind().bytes(shape) / 2)
            .index_select(0, Tensors.of(latents(rows, chosen), rows.length))
            .view(rows.length, channels, shape.height(), shape.width())
            .to(ScalarType.Float);
    TensorVector posterior =
        layout.kind() == LatentKind.MEAN_STD
            ? stored.chunk(2, 1)
            : new TensorVector(stored, torch.zeros_like(stored));
    return new LatentBatch(
        posterior.get(0),
        posterior.get(1),
        text.index_select(0, places).to(ScalarType.Float),
        ends.index_select(0, places),
        Arrays.stream(rows).mapToObj(row -> keys.get((int) row)).toList());
  }

  private long[] latents(long[] rows, int[] chosen) {
    long[] places = new long[rows.length];
    Arrays.setAll(places, index -> rows[index] * encodings + chosen[index]);
    return places;
  }

  private static Tensor halves(long... shape) {
    return torch.zeros(shape, new TensorOptions(ScalarType.Half));
  }

  /** Returns a new fp16 tensor [1, shape] over a copy of little-endian bytes. */
  static Tensor one(byte[] bytes, long... shape) {
    long[] whole = new long[shape.length + 1];
    whole[0] = 1;
    System.arraycopy(shape, 0, whole, 1, shape.length);
    Tensor tensor = halves(whole);
    put(tensor, 0, bytes);
    return tensor;
  }

  @Override
  public void close() {
    latents.releaseReference();
    text.releaseReference();
    ends.releaseReference();
  }
}
