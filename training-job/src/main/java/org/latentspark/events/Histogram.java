package org.latentspark.events;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * How values are spread between their least and their greatest.
 *
 * @param least the least value
 * @param greatest the greatest one
 * @param count how many values there are
 * @param sum their sum
 * @param squares the sum of their squares
 * @param buckets how many lie in each of equally wide parts of the range, the lowest first
 */
@SuppressWarnings("ArrayRecordComponent") // histograms are carried, never compared
public record Histogram(
    double least, double greatest, long count, double sum, double squares, long[] buckets) {

  /** Returns TensorBoard's {@code HistogramProto}, whose buckets have upper limits. */
  Message message() {
    ByteBuffer limits = doubles();
    ByteBuffer counts = doubles();
    for (int i = 0; i < buckets.length; i++) {
      limits.putDouble(least + (greatest - least) * (i + 1) / buckets.length);
      counts.putDouble(buckets[i]);
    }
    return new Message()
        .number(1, least)
        .number(2, greatest)
        .number(3, (double) count)
        .number(4, sum)
        .number(5, squares)
        .bytes(6, limits.array())
        .bytes(7, counts.array());
  }

  private ByteBuffer doubles() {
    return ByteBuffer.allocate(buckets.length * Double.BYTES).order(ByteOrder.LITTLE_ENDIAN);
  }
}
