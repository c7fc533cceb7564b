package org.latentspark.evaluate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import org.bytedeco.pytorch.Tensor;
import org.latentspark.cli.InputException;
import org.latentspark.cli.Settings;
import org.latentspark.latents.DataFile;
import org.latentspark.latents.EncodedPair;
import org.latentspark.latents.Fp16;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.LatentShape;
import org.latentspark.latents.RowReader;
import org.latentspark.latents.Split;
import org.latentspark.tensor.Tensors;

/**
 * The pairs that a checkpoint is measured on, usually the held-out ones.
 *
 * @param dataset where they come from
 * @param pairs in the order of their keys
 */
record MeasuredPairs(LatentDataset dataset, List<EncodedPair> pairs) {

  /**
   * Reads the first {@code most} pairs of a split by key, which do not depend on how the data set
   * is cut into files.
   *
   * @throws InputException when there are fewer than {@code fewest}
   */
  static MeasuredPairs read(LatentDataset dataset, Split split, int most, int fewest) {
    requireEnough(dataset, split, fewest);
    Comparator<EncodedPair> byKey = Comparator.comparing(EncodedPair::key);
    PriorityQueue<EncodedPair> first = new PriorityQueue<>(byKey.reversed());
    for (DataFile file : dataset.files()) {
      try (RowReader<EncodedPair> reader = dataset.read(file, split)) {
        while (reader.hasNext()) {
          first.add(reader.next());
          if (first.size() > most) {
            first.remove();
          }
        }
      }
    }
    List<EncodedPair> pairs = new ArrayList<>(first);
    pairs.sort(byKey);
    return new MeasuredPairs(dataset, pairs);
  }

  /** Returns how many pairs a split has, which must be {@code fewest} at least. */
  static long requireEnough(LatentDataset dataset, Split split, int fewest) {
    long rows = dataset.manifest().rows(split);
    if (rows < fewest) {
      throw new InputException(
          ("%s has %d of %d pairs in its split %s, and the measurement needs %d: encode more pairs,"
                  + " or with another validation-share than %s")
              .formatted(
                  dataset.directory(),
                  rows,
                  dataset.manifest().rows(Split.TRAIN) + dataset.manifest().rows(Split.VALIDATION),
                  Settings.kebab(split),
                  fewest,
                  dataset.manifest().validationShare()));
    }
    return rows;
  }

  int count() {
    return pairs.size();
  }

  List<String> captions() {
    return pairs.stream().map(EncodedPair::caption).toList();
  }

  /** Returns the latent [1, C, h, w] of a pair, the mean where the posterior is known. */
  Tensor latent(int index) {
    LatentShape shape = dataset.manifest().layout().shape(pairs.get(index));
    float[] values = Fp16.toFloats(pairs.get(index).latent());
    return Tensors.of(
        Arrays.copyOf(values, shape.size()), 1, shape.channels(), shape.height(), shape.width());
  }
}
