package org.latentspark.prep;

import java.io.Serializable;
import java.util.Arrays;
import org.apache.spark.sql.Row;
import org.latentspark.tensor.Seeds;

/**
 * Stands for the rows of a shard, whatever their order: the shard of a later run that has the same
 * contents needs no work again.
 *
 * @param pairs rows
 * @param hash sum of the rows' hashes
 */
record ShardContents(long pairs, long hash) implements Serializable {
  static final ShardContents EMPTY = new ShardContents(0, 0);
  private static final int DIGITS = 16;

  /** Returns the contents with one more row, which begins with its key of hex digits. */
  ShardContents plus(Row row) {
    long key = Long.parseUnsignedLong(row.getString(0).substring(0, DIGITS), 16);
    Object[] values = new Object[row.length()];
    Arrays.setAll(values, row::get);
    // Deep: a row may carry its image.
    return new ShardContents(pairs + 1, hash + Seeds.derive(key, Arrays.deepHashCode(values)));
  }
}
