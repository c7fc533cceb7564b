package org.latentspark.prep;

import java.io.Serializable;
import org.apache.spark.SparkContext;
import org.apache.spark.util.LongAccumulator;

/**
 * Counts what tasks do, for the progress line and Spark's own pages. A retried task counts again:
 * the accounting does not depend on these.
 *
 * @param pairs done with, encoded or not
 * @param encoded of those, in the dataset
 * @param bytes of image files fetched
 * @param encodeMillis the encoder was at work
 */
record EncodeCounters(
    LongAccumulator pairs,
    LongAccumulator encoded,
    LongAccumulator bytes,
    LongAccumulator encodeMillis)
    implements Serializable {

  static EncodeCounters of(SparkContext spark) {
    return new EncodeCounters(
        spark.longAccumulator("pairs"),
        spark.longAccumulator("encoded pairs"),
        spark.longAccumulator("image bytes"),
        spark.longAccumulator("encoder ms"));
  }
}
