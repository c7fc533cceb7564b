package org.latentspark.averaging;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.latentspark.exchange.Collective;
import org.latentspark.exchange.Wire;

/** The parameters that all workers agree on, and how a round's replicas become the next ones. */
final class Average implements AutoCloseable {
  /** Half a MiB in fp32: what one operation leaves in a core's own cache, the next finds there. */
  private static final long PIECE = 128 << 10;

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
   * @param follower looks at each stretch of the new average
   */
  void update(Collective peers, Tensor replica, double share, Collective.Stretch follower) {
    if (peers.workers() == 1 && outer instanceof OuterOptimizer.Plain) {
      // A lone worker is its own mean: taking the difference and adding it back would round.
      values.copy_(replica);
      follower.at(0, values.numel());
      return;
    }
    double scale = peers.workers() == 1 ? 1 : share;
    long piece = values.is_cuda() ? Long.MAX_VALUE : PIECE;
    peers.sum(
        replica,
        wire,
        (start, count) ->
            Collective.pieces(
                start, count, piece, (at, length) -> depart(replica, scale, at, length)),
        (start, count) ->
            Collective.pieces(
                start,
                count,
                piece,
                (at, length) -> {
                  arrive(replica, at, length);
                  follower.at(at, length);
                }));
  }

  /** Leaves in {@code replica} what it changed, by its weight. */
  private void depart(Tensor replica, double share, long start, long count) {
    try (PointerScope scope = new PointerScope()) {
      Tensor own = replica.narrow(0, start, count).sub_(values.narrow(0, start, count));
      if (share != 1) {
        own.mul_(new Scalar(share));
      }
    }
  }

  /** Moves the average by the mean of all changes, found in {@code replica}, which follows. */
  private void arrive(Tensor replica, long start, long count) {
    try (PointerScope scope = new PointerScope()) {
      Tensor average = values.narrow(0, start, count);
      Tensor own = replica.narrow(0, start, count);
      outer.step(average, own, start);
      own.copy_(average);
    }
  }

  @Override
  public void close() {
    outer.close();
    values.releaseReference();
  }
}
