package org.latentspark.exchange;

import java.io.IOException;
import java.time.Duration;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.DeviceType;

/** The workers of one barrier stage, joined so that each can learn the sum over all of them. */
public interface Collective extends AutoCloseable {
  /** A stretch of a vector, about to be exchanged or just exchanged. */
  interface Stretch {
    /** No work. */
    Stretch NONE = (start, count) -> {};

    /** Works on {@code count} values from {@code start} on. */
    void at(long start, long count);
  }

  /**
   * Joins the other workers of the stage, waiting for none longer than {@code deadline}.
   *
   * @throws IOException when a neighbour does not answer, or does not know the secret
   * @throws IllegalStateException at the deadline
   */
  static Collective join(Member own, Duration deadline) throws IOException {
    if (own.workers() == 1) {
      return new Alone();
    }
    return own.place().type() == DeviceType.CUDA
        ? GpuCollective.join(own, deadline)
        : Ring.join(own, deadline);
  }

  /** Returns how many workers have joined. */
  int workers();

  /**
   * Replaces {@code vector} [n] by the sum over the workers, which is the same on all of them to
   * the bit, stretch by stretch: what is done to a stretch beside the exchange finds it still in
   * the processor's cache.
   *
   * @param before is called once with each stretch of the vector before it leaves
   * @param after is called once with each stretch when it holds the sum
   */
  void sum(Tensor vector, Wire wire, Stretch before, Stretch after);

  /** Replaces {@code vector} [n] by the sum over the workers. */
  default void sum(Tensor vector) {
    sum(vector, Wire.FP32, Stretch.NONE, Stretch.NONE);
  }

  /** Returns the sums over the workers of a few numbers, the same on all of them to the bit. */
  double[] sum(double... numbers);

  @Override
  void close();

  /** Runs {@code work} on pieces of at most {@code length} values, from {@code start} on. */
  static void pieces(long start, long count, long length, Stretch work) {
    for (long done = 0; done < count; done += Math.min(length, count)) {
      work.at(start + done, Math.min(length, count - done));
    }
  }
}
