package org.latentspark.averaging;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.LongStream;
import org.latentspark.exchange.Collective;
import org.latentspark.tensor.StoppedException;

/** Runs the local steps of one round and measures where the round's time went. */
final class RoundClock {
  /** Far beyond any run's last step: the examples of a retried round. */
  private static final long RETRY_BATCHES = 1L << 40;

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Replica replica;
  private final Objective.Session session;
  private final AveragingPlan plan;
  private final long round;
  private final int retried;
  private final List<Replica.Step> made = new ArrayList<>();
  private double lossSum;
  private double normSum;
  private long dataNanos;
  private long lossNanos;
  private long backwardNanos;
  private long stepNanos;
  private long exchangeNanos;

  /**
   * Prepares a round.
   *
   * @param retried how often the round was discarded before
   */
  RoundClock(
      Replica replica, Objective.Session session, AveragingPlan plan, long round, int retried) {
    this.replica = replica;
    this.session = session;
    this.plan = plan;
    this.round = round;
    this.retried = retried;
  }

  /**
   * Makes the round's local steps, unless told to stop before one of them, or up to one that is not
   * finite.
   *
   * <p>Such a step has changed nothing and is made once more: a fault of the machine does not come
   * back, and the run goes on as if it had not been.
   *
   * @param late the last round's average, which arrives after as many steps as the plan says
   */
  void steps(BooleanSupplier stop, LateAverage late) {
    int steps = session.batchSize() == 0 ? 0 : plan.frequency();
    for (int local = 0; local < steps && isFinite(); local++) {
      if (local == plan.overlapSteps()) {
        exchange(() -> late.arrive(replica.values()));
      }
      if (stop.getAsBoolean()) {
        throw new StoppedException("Told to stop at step " + (round * plan.frequency() + local));
      }
      Replica.Step step = step(local);
      if (!step.isFinite()) {
        step = step(local);
      }
      made.add(step);
      lossSum += step.loss();
      normSum += step.gradientNorm();
      dataNanos += step.dataNanos();
      lossNanos += step.lossNanos();
      backwardNanos += step.backwardNanos();
      stepNanos += step.allNanos();
    }
    exchange(() -> late.arrive(replica.values()));
  }

  private Replica.Step step(int local) {
    long step = round * plan.frequency() + local;
    return replica.step(session, step, step + retried * RETRY_BATCHES);
  }

  /** Tells whether all steps so far were finite. */
  boolean isFinite() {
    return Double.isFinite(lossSum) && Double.isFinite(normSum);
  }

  /** Returns what led to the last step that was made, as JSON. */
  String record(int rank, String host) {
    ObjectNode record = JSON.createObjectNode();
    long last = round * plan.frequency() + made.size() - 1;
    record.put("round", round + 1);
    record.put("worker", rank);
    record.put("host", host);
    record.put("step", last + 1);
    record.put("retried", retried);
    record.put("learning_rate", plan.learningRate().at(last));
    record.set("keys", JSON.valueToTree(keys(last + retried * RETRY_BATCHES)));
    ArrayNode steps = record.putArray("steps_of_the_round");
    for (Replica.Step step : made) {
      steps.addObject().put("loss", step.loss()).put("gradient_norm", step.gradientNorm());
    }
    return record.toString();
  }

  private List<String> keys(long group) {
    return LongStream.range(group * plan.accumulate(), (group + 1) * plan.accumulate())
        .mapToObj(session::keys)
        .flatMap(List::stream)
        .toList();
  }

  /** Returns the mean loss of this worker's steps. */
  double meanLoss() {
    return lossSum / plan.frequency();
  }

  /** Runs a part of the exchange, with what there is to wait for in it, and measures it. */
  void exchange(Runnable part) {
    long before = System.nanoTime();
    part.run();
    exchangeNanos += System.nanoTime() - before;
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
            meanLoss() * session.batchSize() * plan.accumulate(),
            normSum / plan.frequency(),
            dataNanos,
            lossNanos,
            backwardNanos,
            stepNanos - dataNanos - lossNanos - backwardNanos,
            exchangeNanos,
            stepNanos + exchangeNanos,
            made.isEmpty() ? 0 : 1);
    double nanos = sums[7] / workers;
    long steps = (round + 1) * plan.frequency();
    return new RoundReport(
        round + 1,
        steps,
        examples,
        sums[0] / stepExamples,
        sums[1] / sums[8],
        plan.learningRate().at(steps - 1),
        plan.frequency() * stepExamples / (nanos * 1e-9),
        sums[2] / sums[7],
        sums[3] / sums[7],
        sums[4] / sums[7],
        sums[5] / sums[7],
        sums[6] / sums[7],
        residentMebibytes,
        validation,
        retried == 0 ? null : retried,
        damagedFiles(peers));
  }

  private Integer damagedFiles(Collective peers) {
    int all = (int) peers.sum(session.damagedFiles())[0];
    return all == 0 ? null : all;
  }
}
