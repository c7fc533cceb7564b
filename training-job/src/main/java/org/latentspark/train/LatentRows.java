package org.latentspark.train;

import java.io.IOException;
import java.util.ArrayList;
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
import org.latentspark.latents.Manifest;
import org.latentspark.latents.RowReader;
import org.latentspark.latents.Split;
import org.latentspark.tensor.Tensors;

/**
 * One worker's share of a split of an encoded data set, in memory as fp16.
 *
 * <p>Rows go to workers in turn, in the order of their keys, so the share does not depend on how
 * the data set is cut into files.
 */
final class LatentRows implements AutoCloseable {
  private final List<String> keys = new ArrayList<>();
  private final List<String> captions = new ArrayList<>();
  private final Tensor latents;
  private final Tensor text;
  private final Tensor ends;

  private LatentRows(List<EncodedPair> rows, Manifest manifest) {
    try (PointerScope scope = new PointerScope()) {
      long channels = 2L * manifest.latent().shape().channels();
      Tensor moments =
          halves(
              rows.stream().map(EncodedPair::latent).toList(),
              channels,
              manifest.latent().shape().height(),
              manifest.latent().shape().width());
      Tensor embeddings =
          halves(
              rows.stream().map(EncodedPair::textEmbedding).toList(),
              manifest.text().tokens(),
              manifest.text().dim());
      long[] positions = new long[rows.size()];
      for (int row = 0; row < positions.length; row++) {
        positions[row] = end(rows.get(row).tokenIds());
        keys.add(rows.get(row).key());
        captions.add(rows.get(row).caption());
      }
      latents = moments;
      text = embeddings;
      ends = Tensors.of(positions, positions.length);
      latents.retainReference();
      text.retainReference();
      ends.retainReference();
    }
  }

  /** Reads the rows of a split that belong to worker {@code rank} of {@code workers}. */
  static LatentRows load(LatentDataset dataset, Split split, int rank, int workers)
      throws IOException {
    List<EncodedPair> rows = new ArrayList<>();
    for (DataFile file : dataset.files()) {
      try (RowReader<EncodedPair> reader = dataset.read(file, split)) {
        reader.forEachRemaining(rows::add);
      }
    }
    rows.sort(Comparator.comparing(EncodedPair::key));
    List<EncodedPair> own = new ArrayList<>();
    for (int index = rank; index < rows.size(); index += workers) {
      own.add(rows.get(index));
    }
    return new LatentRows(own, dataset.manifest());
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

  /** Returns the captions in the order of the rows. */
  List<String> captions() {
    return captions;
  }

  /** Returns mean and standard deviation of the posterior, fp32 [B, C, h, w] each. */
  TensorVector posterior(Tensor indices) {
    return latents.index_select(0, indices).to(ScalarType.Float).chunk(2, 1);
  }

  /** Returns the captions' last hidden states, fp32 [B, T, D]. */
  Tensor text(Tensor indices) {
    return text.index_select(0, indices).to(ScalarType.Float);
  }

  /** Returns the places of the captions' end tokens, int64 [B]. */
  Tensor ends(Tensor indices) {
    return ends.index_select(0, indices);
  }

  /** Returns a new fp16 tensor [n, shape] over copies of little-endian bytes. */
  static Tensor halves(List<byte[]> rows, long... shape) {
    long[] whole = new long[shape.length + 1];
    whole[0] = rows.size();
    System.arraycopy(shape, 0, whole, 1, shape.length);
    Tensor tensor = torch.zeros(whole, new TensorOptions(ScalarType.Half));
    BytePointer target = new BytePointer(tensor.data_ptr()).capacity(tensor.numel() * 2);
    long position = 0;
    for (byte[] row : rows) {
      target.position(position).put(row, 0, row.length);
      position += row.length;
    }
    return tensor;
  }

  @Override
  public void close() {
    latents.releaseReference();
    text.releaseReference();
    ends.releaseReference();
  }
}
