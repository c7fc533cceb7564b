package org.latentspark.averaging;

import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.function.BooleanSupplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.TCPStore;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.latentspark.tensor.Natives;

/**
 * The training of one segment on one worker: rounds of H local steps, each ended by an average.
 *
 * <pre>
 * x := average
 * repeat: H times x := inner(x, gradient of the loss on the own next batch)
 *         average := average + sum over workers of weight * (x - average);  x := average
 *         moving average follows the average
 * </pre>
 */
final class AveragingWorker implements Serializable {
  private static final long serialVersionUID = 1;
  private final AveragingPlan plan;
  private final Objective objective;
  private final StateStore store;
  private final String state;
  private final ArrayList<String> shards;
  private final String graphJson;

  AveragingWorker(
      AveragingPlan plan,
      Objective objective,
      StateStore store,
      String state,
      ArrayList<String> shards,
      String graphJson) {
    this.plan = plan;
    this.objective = objective;
    this.store = store;
    this.state = state;
    this.shards = shards;
    this.graphJson = graphJson;
  }

  /**
   * Trains until the segment's last round and leaves the state in the store.
   *
   * @param stop tells, before each step, whether to stop there
   */
  AveragingResult train(
      TCPStore rendezvous, String ownHost, int rank, int workers, BooleanSupplier stop)
      throws IOException {
    Natives.operationThreads(plan.threads());
    try (Replica replica = new Replica(ComputationGraphConfiguration.fromJson(graphJson), plan);
        Collective peers = Collective.join(rendezvous, ownHost, rank, workers, plan.deadline());
        Average average = new Average(replica.values().numel());
        TrainingVectors vectors = new TrainingVectors(average.values(), replica.moments());
        Objective.Session session = objective.open(replica.model(), shards, rank, workers)) {
      StateStore.Progress start = store.restore(state, replica.model(), vectors);
      long first = start.round();
      replica.values().copy_(average.values());
      long last = Math.min(plan.rounds(), first + plan.segmentRounds());
      long stepExamples = Math.round(peers.sum(session.batchSize())[0]);
      for (long round = first; round < last; round++) {
        RoundClock clock = new RoundClock(replica, session, plan, round);
        clock.steps(stop);
        requireFinite(peers, replica, clock, round, rank);
        clock.exchange(() -> average.update(peers, replica.values(), session.batchSize()));
        follow(vectors, round);
        Double validation = null;
        if ((round + 1) % plan.validationRounds() == 0 || round == 0 || round + 1 == last) {
          Objective.Validation own = replica.validate(session, vectors.movingAverage());
          double[] sums = peers.sum(own.lossSum(), own.examples());
          validation = sums[1] == 0 ? null : sums[0] / sums[1];
        }
        RoundReport report =
            clock.report(
                peers,
                workers,
                start.examples() + (round + 1 - first) * plan.frequency() * stepExamples,
                stepExamples,
                residentMebibytes(),
                validation);
        if (rank == 0) {
          Rendezvous.report(rendezvous, round - first, report);
        }
      }
      for (Tensor moment : replica.moments().values()) {
        peers.sum(moment);
        moment.div_(new Scalar(workers));
      }
      StateStore.Progress progress =
          new StateStore.Progress(
              last,
              last * plan.frequency(),
              start.examples() + (last - first) * plan.frequency() * stepExamples,
              workers);
      return new AveragingResult(
          progress, rank == 0 ? store.save(replica.model(), vectors, progress) : null);
    }
  }

  /** Stops every worker before a NaN or infinity of one of them can reach the average. */
  private static void requireFinite(
      Collective peers, Replica replica, RoundClock clock, long round, int rank) {
    boolean finite;
    try (PointerScope scope = new PointerScope()) {
      finite =
          Double.isFinite(clock.meanLoss())
              && Double.isFinite(replica.values().sum().item_double());
    }
    double broken = peers.sum(finite ? 0 : 1)[0];
    if (broken > 0) {
      throw new NonFiniteException(
          "Round "
              + round
              + " gave NaN or infinite values on "
              + (long) broken
              + " worker(s); worker "
              + rank
              + (finite ? " is finite" : " is one of them, mean loss " + clock.meanLoss())
              + ". The round is discarded; lower learning-rate.peak or clip-norm",
          "",
          null);
    }
  }

  /** Moves the exponential moving average one round on; short histories weigh less (warm-up). */
  private void follow(TrainingVectors vectors, long round) {
    double decay =
        Math.min((1.0 + round) / (10.0 + round), Math.pow(plan.emaDecay(), plan.frequency()));
    try (PointerScope scope = new PointerScope()) {
      vectors.movingAverage().lerp_(vectors.average(), new Scalar(1 - decay));
    }
  }

  private static double residentMebibytes() {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
        if (line.startsWith("VmRSS:")) {
          return Long.parseLong(line.replaceAll("[^0-9]", "")) / 1024.0;
        }
      }
    } catch (IOException e) {
      // Only Linux tells; elsewhere the figure is missing and nothing else suffers.
      return Double.NaN;
    }
    return Double.NaN;
  }

  /** The parameters that all workers agree on. */
  private static final class Average implements AutoCloseable {
    private final Tensor values;

    Average(long count) {
      try (PointerScope scope = new PointerScope()) {
        values = torch.empty(count);
        values.retainReference();
      }
    }

    Tensor values() {
      return values;
    }

    /**
     * Sets this average and {@code replica} to the mean of all replicas weighted by examples.
     *
     * <p>A lone worker is its own mean: taking the difference and adding it back would round.
     */
    void update(Collective peers, Tensor replica, long examples) {
      double all = peers.sum(examples)[0];
      if (all != examples) {
        replica.sub_(values).mul_(new Scalar(examples / all));
        peers.sum(replica);
        replica.add_(values);
      }
      values.copy_(replica);
    }

    @Override
    public void close() {
      values.releaseReference();
    }
  }
}
