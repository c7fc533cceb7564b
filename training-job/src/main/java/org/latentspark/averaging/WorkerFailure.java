package org.latentspark.averaging;

import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import org.latentspark.cli.InputException;
import org.latentspark.cli.UsageException;

/**
 * What a worker leaves at the rendezvous when it fails: Spark passes on no more than the text of
 * what a task of a barrier stage throws.
 *
 * @param kind who can help
 * @param rank the worker
 * @param host where it ran
 * @param message what happened
 * @param details what led there, as JSON; "" where nothing is known
 */
record WorkerFailure(Kind kind, int rank, String host, String message, String details) {
  /** Kinds of failures, the most telling first: others may only follow from them. */
  enum Kind {
    INPUT,
    USAGE,
    NON_FINITE,
    STOPPED,
    OTHER
  }

  /** Describes what {@code failure} did to a worker. */
  static WorkerFailure of(Throwable failure, int rank, String host) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof InputException) {
        return new WorkerFailure(Kind.INPUT, rank, host, cause.getMessage(), "");
      }
      if (cause instanceof UsageException) {
        return new WorkerFailure(Kind.USAGE, rank, host, cause.getMessage(), "");
      }
      if (cause instanceof NonFiniteException broken) {
        return new WorkerFailure(
            Kind.NON_FINITE, rank, host, broken.getMessage(), broken.details());
      }
      if (cause instanceof StoppedException) {
        return new WorkerFailure(Kind.STOPPED, rank, host, cause.getMessage(), "");
      }
    }
    String text = failure.toString().lines().findFirst().orElse("");
    return new WorkerFailure(Kind.OTHER, rank, host, text, "");
  }

  /**
   * Returns what a failed segment is told as: the exception of the worker's own kind, or a {@link
   * SegmentFailedException} that another attempt may mend.
   *
   * @param reason what Spark says
   */
  static RuntimeException exception(List<WorkerFailure> failures, String reason, Throwable cause) {
    WorkerFailure first =
        failures.stream().min(Comparator.comparing(WorkerFailure::kind)).orElse(null);
    if (first != null && first.kind() == Kind.INPUT) {
      return new InputException(first.message(), cause);
    }
    if (first != null && first.kind() == Kind.USAGE) {
      return new UsageException(first.message(), cause);
    }
    if (first != null && first.kind() == Kind.NON_FINITE) {
      return new NonFiniteException(first.message(), first.details(), cause);
    }
    String told =
        failures.stream().map(WorkerFailure::toString).collect(Collectors.joining("; ", "; ", ""));
    return new SegmentFailedException(reason + (failures.isEmpty() ? "" : told), cause);
  }

  @Override
  public String toString() {
    return "worker " + rank + " on " + host + ": " + message;
  }
}
