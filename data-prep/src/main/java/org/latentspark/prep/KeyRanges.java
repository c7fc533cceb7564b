package org.latentspark.prep;

import org.apache.spark.Partitioner;

/**
 * Cuts the space of keys, which are hex digits of a hash, into equal ranges: partitions are of even
 * size, and rows ascend by key through all of them, however many there are.
 */
final class KeyRanges extends Partitioner {
  private static final long serialVersionUID = 1L;
  private static final int DIGITS = 8;

  private final int count;

  KeyRanges(int count) {
    this.count = count;
  }

  @Override
  public int numPartitions() {
    return count;
  }

  @Override
  public int getPartition(Object key) {
    long prefix = Long.parseLong(((String) key).substring(0, DIGITS), 16);
    return (int) (prefix * count >>> 4 * DIGITS);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof KeyRanges ranges && ranges.count == count;
  }

  @Override
  public int hashCode() {
    return count;
  }
}
