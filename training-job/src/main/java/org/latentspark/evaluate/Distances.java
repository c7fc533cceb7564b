package org.latentspark.evaluate;

import java.util.function.ToDoubleBiFunction;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.latentspark.tensor.Tensors;

/**
 * How far drawn pictures are from real ones, by their features.
 *
 * @param frechet Fréchet distance
 * @param kernel kernel distance of all pictures
 * @param kernelSubsets the same over random subsets, as it is usually published
 * @param precision share of the drawn that look real
 * @param recall share of the real that could have been drawn
 */
record Distances(
    Interval frechet,
    Interval kernel,
    KernelDistance kernelSubsets,
    Interval precision,
    Interval recall) {
  /** Pictures below which no interval can be told. */
  static final int FEWEST = 10;

  private static final int GROUPS = 10;

  /**
   * What the figures depend on besides the features.
   *
   * @param neighbours k of precision and recall
   * @param subsets of the kernel distance
   * @param subsetSize pictures in each, where there are twice as many
   */
  record Options(int neighbours, int subsets, int subsetSize) {
    /** Returns how many pictures leave every jackknife more than k neighbours. */
    int fewest() {
      return Math.max(FEWEST, 2 * (neighbours + 1));
    }

    /** Returns the size of the subsets of {@code count} pictures. */
    int subsetSize(int count) {
      return Math.min(subsetSize, count / 2);
    }
  }

  /**
   * Measures features of pictures of the same captions.
   *
   * @param real features [n, d]
   * @param drawn features [n, d]
   */
  static Distances of(Tensor real, Tensor drawn, Options options, long seed) {
    int count = (int) real.size(0);
    return new Distances(
        frechet(real, drawn),
        interval(real, drawn, KernelDistance::between),
        KernelDistance.ofSubsets(real, drawn, options.subsets(), options.subsetSize(count), seed),
        interval(real, drawn, (a, b) -> Manifolds.of(a, b, options.neighbours()).precision())
            .clipped(0, 1),
        interval(real, drawn, (a, b) -> Manifolds.of(a, b, options.neighbours()).recall())
            .clipped(0, 1));
  }

  /** Returns the Fréchet distance between features [n, d] of pictures of the same captions. */
  static Interval frechet(Tensor real, Tensor drawn) {
    return interval(real, drawn, FrechetDistance::between).clipped(0, Double.MAX_VALUE);
  }

  private static Interval interval(
      Tensor real, Tensor drawn, ToDoubleBiFunction<Tensor, Tensor> figure) {
    return Interval.ofGroups(
        (int) real.size(0),
        GROUPS,
        numbers -> {
          try (PointerScope scope = new PointerScope()) {
            Tensor rows = Tensors.of(numbers, numbers.length);
            return figure.applyAsDouble(real.index_select(0, rows), drawn.index_select(0, rows));
          }
        });
  }
}
