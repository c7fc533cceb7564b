package org.latentspark.train;

import org.latentspark.tensor.Seeds;

/** The order in which one worker goes through its examples: a fresh shuffle for each epoch. */
final class ExampleOrder {
  private final long seed;
  private final int rank;
  private final int examples;
  private long epoch = -1;
  private int[] order;

  ExampleOrder(long seed, int rank, int examples) {
    this.seed = seed;
    this.rank = rank;
    this.examples = examples;
  }

  /** Returns the indices of the examples of a step; the place follows from the step alone. */
  long[] batch(long step, int size) {
    long[] batch = new long[size];
    for (int index = 0; index < size; index++) {
      long position = step * size + index;
      shuffleFor(position / examples);
      batch[index] = order[(int) (position % examples)];
    }
    return batch;
  }

  private void shuffleFor(long wanted) {
    if (epoch == wanted) {
      return;
    }
    epoch = wanted;
    order = Shuffle.of(examples, Seeds.derive(seed, rank, epoch));
  }
}
