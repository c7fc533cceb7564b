package org.latentspark.train;

import java.util.SplittableRandom;

/**
 * Random orders that follow from a seed alone, on any machine (Durstenfeld's inside-out shuffle).
 */
final class Shuffle {
  private Shuffle() {}

  /** Returns the numbers from 0 to {@code count - 1} in an order of {@code seed}. */
  static int[] of(int count, long seed) {
    int[] order = new int[count];
    SplittableRandom random = new SplittableRandom(seed);
    for (int index = 0; index < count; index++) {
      int other = random.nextInt(index + 1);
      order[index] = order[other];
      order[other] = index;
    }
    return order;
  }
}
