package org.latentspark.averaging;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/** The parameters that all workers agree on, and how a round's replicas become the next ones. */
final class Average implements AutoCloseable {
  /** 64 MiB in fp32: large enough for Gloo's ring, small enough that its buffers stay small. */
  static final long CHUNK = 16L << 20;

  private final Tensor values;
  private final OuterOptimizer outer;
  private final Wire wire;

  Average(long count, AveragingPlan plan) {
    values = plan.vectors().zeros(count);
    outer = plan.outer().create(count, plan.vectors());
    wire = plan.wire();
  }

  /** Returns the parameters [n]. */
  Tensor values() {
    return values;
  }

  /** Returns the outer optimizer, whose state is the same on all workers. */
  OuterOptimizer outer() {
    return outer;
  }

  /**
   * Moves this average by the mean of what all replicas changed, weighted by {@code share}, and
   * sets {@code replica} to it. The replica's memory holds the differences on the way.
   *
   * @param share this worker's part of the examples, 0 to 1; all workers' shares add up to 1
   */
  void update(Collective peers, Tensor replica, double share) {
    for (long start = 0; start < values.numel(); start += CHUNK) {
      try (PointerScope scope = new PointerScope()) {
        long count = Math.min(CHUNK, values.numel() - start);
        update(
            peers, values.narrow(0, start, count), replica.narrow(0, start, count), share, start);
      }
    }
  }

  private void update(Collective peers, Tensor average, Tensor own, double share, long start) {
    if (peers.workers() == 1 && outer instanceof OuterOptimizer.Plain) {
      // A lone worker is its own mean: taking the difference and adding it back would round.
      average.copy_(own);
      return;
    }
    own.sub_(average);
    if (peers.workers() > 1) {
      own.mul_(new Scalar(share));
      peers.sum(own, wire);
    }
    outer.step(average, own, start);
    own.copy_(average);
  }

  @Override
  public void close() {
    outer.close();
    values.releaseReference();
  }
}
