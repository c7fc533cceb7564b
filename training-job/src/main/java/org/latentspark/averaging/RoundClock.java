package org.latentspark.averaging;

import java.util.function.BooleanSupplier;

/** Runs the local steps of one round and measures where the round's time went. */
final class RoundClock {
  private final Replica replica;
  private final Objective.Session session;
  private final AveragingPlan plan;
  private final long round;
  private double lossSum;
  private double normSum;
  private long lossNanos;
  private long backwardNanos;
  private long stepNanos;
  private long exchangeNanos;

  RoundClock(Replica replica, Objective.Session session, AveragingPlan plan, long round) {
    this.replica = replica;
    this.session = session;
    this.plan = plan;
    this.round = round;
  }

  /** Makes the round's local steps, unless told to stop before one of them. */
  void steps(BooleanSupplier stop) {
    for (int local = 0; local < plan.frequency(); local++) {
      if (stop.getAsBoolean()) {
        throw new StoppedException("Told to stop at step " + (round * plan.frequency() + local));
      }
      Replica.Step step = replica.step(session, round * plan.frequency() + local);
      lossSum += step.loss();
      normSum += step.gradientNorm();
      lossNanos += step.lossNanos();
      backwardNanos += step.backwardNanos();
      stepNanos += step.allNanos();
    }
  }

  /** Returns the mean loss of this worker's steps. */
  double meanLoss() {
    return lossSum / plan.frequency();
  }

  /** Runs the exchange and measures it. */
  void exchange(Runnable exchange) {
    long before = System.nanoTime();
    exchange.run();
    exchangeNanos = System.nanoTime() - before;
  }

  /** Returns the round's report over all workers. */
  RoundReport report(
      Collective peers,
      int workers,
      long examples,
      long stepExamples,
      double residentMebibytes,
      Double validation) {
    double[] sums =
        peers.sum(
            meanLoss() * session.batchSize(),
            normSum / plan.frequency(),
            lossNanos,
            backwardNanos,
            stepNanos - lossNanos - backwardNanos,
            exchangeNanos,
            stepNanos + exchangeNanos);
    double nanos = sums[6] / workers;
    long steps = (round + 1) * plan.frequency();
    return new RoundReport(
        round + 1,
        steps,
        examples,
        sums[0] / stepExamples,
        sums[1] / workers,
        plan.learningRate().at(steps - 1),
        plan.frequency() * stepExamples / (nanos * 1e-9),
        sums[2] / sums[6],
        sums[3] / sums[6],
        sums[4] / sums[6],
        sums[5] / sums[6],
        residentMebibytes,
        validation);
  }
}
