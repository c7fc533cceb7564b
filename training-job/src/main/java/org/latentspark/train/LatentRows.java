package org.latentspark.train;

import java.util.ArrayList;
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
import org.latentspark.latents.Manifest;
import org.latentspark.latents.Split;

/** Rows of an encoded data set, in memory as fp16. */
final class LatentRows implements AutoCloseable {
  private final List<String> keys = new ArrayList<>();
  private final LatentKind kind;
  private final int capacity;
  private final Tensor latents;
  private final Tensor text;
  private final Tensor ends;

  private LatentRows(Manifest manifest, int capacity) {
    this.kind = manifest.latentKind();
    this.capacity = capacity;
    try (PointerScope scope = new PointerScope()) {
      long channels =
          (kind == LatentKind.MEAN_STD ? 2L : 1L) * manifest.latent().shape().channels();
      latents =
          halves(
              capacity,
              channels,
              manifest.latent().shape().height(),
              manifest.latent().shape().width());
      text = halves(capacity, manifest.text().tokens(), manifest.text().dim());
      ends = torch.zeros(new long[] {capacity}, new TensorOptions(ScalarType.Long));
      latents.retainReference();
      text.retainReference();
      ends.retainReference();
    }
  }

  /** Returns how many bytes of memory a row takes. */
  static long rowBytes(Manifest manifest) {
    return manifest.latentKind().bytes(manifest.latent().shape())
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
      put(latents, row, pair.latent());
      put(text, row, pair.textEmbedding());
      put(ends, row, new byte[] {(byte) end(pair.tokenIds()), (byte) (end(pair.tokenIds()) >> 8)});
    }
    keys.add(pair.key());
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

  /** Returns mean and standard deviation of the posterior, fp32 [B, C, h, w] each. */
  TensorVector posterior(Tensor indices) {
    Tensor rows = latents.index_select(0, indices).to(ScalarType.Float);
    return kind == LatentKind.MEAN_STD
        ? rows.chunk(2, 1)
        : new TensorVector(rows, torch.zeros_like(rows));
  }

  /** Returns the captions' last hidden states, fp32 [B, T, D]. */
  Tensor text(Tensor indices) {
    return text.index_select(0, indices).to(ScalarType.Float);
  }

  /** Returns the places of the captions' end tokens, int64 [B]. */
  Tensor ends(Tensor indices) {
    return ends.index_select(0, indices);
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
