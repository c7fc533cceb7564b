package org.latentspark.train;

import java.time.Duration;
import java.util.Locale;
import org.latentspark.averaging.SegmentFailedException;
import org.latentspark.averaging.Slots;
import org.latentspark.cli.UsageException;

/** How many workers train the next segment, as executors fail and come back. */
final class Workforce {
  /** Executors of a fresh cluster take as long to come. */
  private static final Duration START = Duration.ofMinutes(2);

  private final Slots slots;
  private final RunSettings settings;
  private int workers;

  Workforce(Slots slots, RunSettings settings) {
    this.slots = slots;
    this.settings = settings;
    this.workers = settings.plan().workers();
  }

  /**
   * Waits until the cluster offers all workers at once.
   *
   * @throws UsageException when it does not
   */
  void requireAll() {
    Duration patience = settings.recovery().patience();
    int offered = slots.await(workers, patience.compareTo(START) > 0 ? patience : START);
    if (offered < workers) {
      throw new UsageException(
          "workers="
              + workers
              + " needs as many task slots at once, and the cluster offers "
              + offered
              + ": set workers lower, or give the job more cores");
    }
  }

  /**
   * Chooses how many workers train the next segment: all, or as many as there are task slots.
   *
   * <p>Slots that were there a segment ago are waited for: their executor may be on its way back.
   */
  int next() {
    int wanted = settings.plan().workers();
    int offered = Math.min(wanted, slots.await(workers, settings.recovery().patience()));
    if (offered == 0) {
      throw new IllegalStateException(
          "No task slot came within recovery.patience, " + settings.recovery().patience());
    }
    if (offered != workers) {
      System.out.printf(
          "Going on with %d of %d workers: as many task slots are left%n", offered, wanted);
    }
    workers = offered;
    return workers;
  }

  /**
   * Tells of a failed segment and ends what it has left running.
   *
   * @param round the average after which the segment began
   * @param failures failures without a new checkpoint, this one included
   * @throws IllegalStateException when there were too many of them
   */
  void recover(SegmentFailedException failure, long round, int failures) {
    int attempts = settings.recovery().attempts();
    String told =
        String.format(
            Locale.ROOT,
            "The segment after average %d failed (%d of %d attempts): %s",
            round,
            failures,
            attempts,
            failure.getMessage());
    if (failures >= attempts) {
      throw new IllegalStateException(told, failure);
    }
    System.out.println(told);
    for (String executor : slots.settle(settings.plan().deadline())) {
      System.out.println("Executor " + executor + " does not end its task: it is replaced");
    }
  }
}
