package org.latentspark.averaging;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.latentspark.cli.InputException;
import org.latentspark.exchange.Collective;
import org.latentspark.exchange.Place;
import org.latentspark.graph.TorchGraphs;
import org.latentspark.tensor.Natives;

/**
 * The training of a stage on one worker: rounds of H local steps, each ended by an average.
 *
 * <p>A round with NaN or infinite values on any worker is discarded on all, and made once more from
 * the last average with other examples: with the same ones it would end alike. The inner moments
 * keep what the finite steps of the discarded round gave them.
 *
 * <pre>
 * x := average
 * repeat: H times x := inner(x, gradient of the loss on the own next batch)
 *         average := outer(average, sum over workers of weight * (x - average));  x := average
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
   * Checks that this worker and those beside it on the host will fit into memory, and on a GPU the
   * worker into the GPU's.
   *
   * @param writersHere how many of them keep the states
   * @throws org.latentspark.cli.UsageException when they will not
   */
  void requireMemory(Place place, int workersHere, int writersHere) {
    long parameters = TorchGraphs.parameterCount(ComputationGraphConfiguration.fromJson(graphJson));
    int copied = writersHere * StateWriter.vectors(store, plan);
    if (place.type() == DeviceType.CUDA) {
      WorkerMemory.requireOnGpu(parameters, plan.residentVectors(), GpuMemory.free(place.index()));
      WorkerMemory.requireBesideGpus(parameters, workersHere, copied, WorkerMemory.available());
      return;
    }
    WorkerMemory.require(
        parameters, plan.residentVectors(), workersHere, copied, WorkerMemory.available());
  }

  /**
   * Trains until the run's last round, or the end of the segment in which the driver asks for it,
   * and leaves the state after each segment in the store.
   */
  AveragingResult train(Seat seat) throws IOException {
    AveragingPlan here = plan.at(seat.member().place());
    Natives.operationThreads(plan.threads());
    // Joined first: whoever is here has passed its check of memory, which others' vectors would
    // lower.
    try (Collective peers = Collective.join(seat.member(), plan.deadline());
        Replica replica =
            new Replica(
                ComputationGraphConfiguration.fromJson(graphJson), here, seat.member().place());
        Average average = new Average(replica.values().numel(), here);
        TrainingVectors vectors =
            new TrainingVectors(average.values(), state(replica, average), here.vectors());
        Objective.Session session =
            objective.open(replica.model(), shards, seat.rank(), seat.workers());
        StateWriter states = new StateWriter(store, replica.model(), plan, seat.driver()::saved);
        LateAverage late = new LateAverage(here.vectors())) {
      StateStore.Progress start = store.restore(state, replica.model(), vectors);
      long first = start.round();
      replica.values().copy_(average.values());
      StateStore.Progress progress = start;
      long ownExamples = (long) session.batchSize() * plan.accumulate();
      long stepExamples = Math.round(peers.sum(ownExamples)[0]);
      if (stepExamples == 0) {
        throw new InputException("None of " + seat.workers() + " workers has any examples");
      }
      double share = (double) ownExamples / stepExamples;
      for (long round = first; round < plan.rounds(); round++) {
        boolean endsSegment =
            (round + 1 - first) % plan.segmentRounds() == 0 || round + 1 == plan.rounds();
        boolean validates = (round + 1) % plan.validationRounds() == 0 || round == 0 || endsSegment;
        boolean overlaps = plan.overlapSteps() > 0 && !validates;
        RoundClock clock = localSteps(seat, peers, replica, session, average, late, round);
        Collective.Stretch follower = follower(vectors, round);
        if (!overlaps) {
          clock.exchange(() -> average.update(peers, replica.values(), share, follower));
        }
        Double validation = null;
        if (validates) {
          Objective.Validation own = replica.validate(session, vectors.movingAverage());
          double[] sums = peers.sum(own.lossSum(), own.examples());
          validation = sums[1] == 0 ? null : sums[0] / sums[1];
        }
        RoundReport report =
            clock.report(
                peers,
                seat.workers(),
                start.examples() + (round + 1 - first) * plan.frequency() * stepExamples,
                stepExamples,
                ResidentMemory.mebibytes(),
                validation);
        RunMetrics.here().round(report);
        if (seat.rank() == 0) {
          seat.driver().report(report);
          states.look();
        }
        if (overlaps) {
          late.depart(replica.values(), values -> average.update(peers, values, share, follower));
        }
        if (endsSegment) {
          progress =
              new StateStore.Progress(
                  report.round(), report.step(), report.examples(), seat.workers());
          averageMoments(replica, peers, share * seat.workers());
          if (seat.rank() == 0) {
            seat.driver().keep();
            states.write(vectors, progress);
          }
          if (asked(seat, peers)) {
            break;
          }
        }
      }
      String newest = states.await();
      return new AveragingResult(progress, newest == null ? state : newest);
    }
  }

  /** Returns the state of both optimizers, by name. */
  private static Map<String, Tensor> state(Replica replica, Average average) {
    Map<String, Tensor> state = new LinkedHashMap<>(replica.moments());
    state.putAll(average.outer().state());
    return state;
  }

  /** Tells, alike on every worker, whether the driver wants the stage to end here. */
  private static boolean asked(Seat seat, Collective peers) {
    boolean own = seat.rank() == 0 && seat.driver().askedToEnd();
    return peers.sum(own ? 1 : 0)[0] > 0;
  }

  /**
   * Sets the inner moments to their mean over the workers.
   *
   * @param weight this worker's part of the examples, as a multiple of an equal part
   */
  private static void averageMoments(Replica replica, Collective peers, double weight) {
    for (Tensor moment : replica.moments().values()) {
      if (weight != 1) {
        moment.mul_(new Scalar(weight));
      }
      peers.sum(moment);
      moment.div_(new Scalar(peers.workers()));
    }
  }

  /** Makes a round's local steps, once more with other examples where they are not finite. */
  private RoundClock localSteps(
      Seat seat,
      Collective peers,
      Replica replica,
      Objective.Session session,
      Average average,
      LateAverage late,
      long round) {
    for (int retried = 0; retried <= 1; retried++) {
      RoundClock clock = new RoundClock(replica, session, plan, round, retried);
      clock.steps(seat.stop(), late);
      boolean[] finite = new boolean[1];
      clock.exchange(() -> finite[0] = finite(seat, peers, replica, clock));
      if (finite[0]) {
        return clock;
      }
      replica.values().copy_(average.values());
    }
    throw new NonFiniteException(
        "Round "
            + (round + 1)
            + " gave NaN or infinite values with two sets of examples. Nothing of it reached the"
            + " average; lower learning-rate.peak or optimizer.clip-norm");
  }

  /**
   * Tells, alike on every worker, whether the round may go into the average: NaN or infinity on one
   * of them would be on all.
   */
  private static boolean finite(Seat seat, Collective peers, Replica replica, RoundClock clock) {
    boolean own = clock.isFinite() && replica.isFinite();
    if (!own) {
      seat.driver().dump(seat.rank(), clock.record(seat.rank(), seat.member().host()));
    }
    return peers.sum(own ? 0 : 1)[0] == 0;
  }

  /**
   * Returns what moves the exponential moving average one round on, stretch by stretch; short
   * histories weigh less (warm-up).
   */
  private Collective.Stretch follower(TrainingVectors vectors, long round) {
    double decay =
        Math.min((1.0 + round) / (10.0 + round), Math.pow(plan.emaDecay(), plan.frequency()));
    return (start, count) -> {
      try (PointerScope scope = new PointerScope()) {
        vectors
            .movingAverage()
            .narrow(0, start, count)
            .lerp_(vectors.average().narrow(0, start, count), new Scalar(1 - decay));
      }
    };
  }
}
