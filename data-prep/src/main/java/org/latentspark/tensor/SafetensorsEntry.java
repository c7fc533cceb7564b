package org.latentspark.tensor;

import java.util.List;

/**
 * One tensor of a safetensors file.
 *
 * @param shape outermost dimension first; empty for a scalar
 * @param begin first byte, counted from the end of the header
 * @param end byte after the last, counted from the end of the header
 */
public record SafetensorsEntry(
    String name, SafetensorsType type, List<Long> shape, long begin, long end) {
  /** Copies the list. */
  public SafetensorsEntry {
    shape = List.copyOf(shape);
  }

  /** Returns the number of values. */
  public long count() {
    return (end - begin) / type.bytes();
  }

  /** Returns the shape as libtorch takes it. */
  public long[] sizes() {
    return shape.stream().mapToLong(Long::longValue).toArray();
  }
}
