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
 */
record WorkerFailure(Kind kind, int rank, String host, String message) {
  /** Kinds of failures, the most telling first: others may only follow from them. */
  enum Kind {
    INPUT,
    USAGE,
    NON_FINITE,
    OTHER
  }

  /** Describes what {@code failure} did to a worker. */
  static WorkerFailure of(Throwable failure, int rank, String host) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      Kind kind = kind(cause);
      if (kind != Kind.OTHER) {
        return new WorkerFailure(kind, rank, host, cause.getMessage());
      }
    }
    String text = failure.toString().lines().findFirst().orElse("");
    return new WorkerFailure(Kind.OTHER, rank, host, text);
  }

  private static Kind kind(Throwable failure) {
    if (failure instanceof InputException) {
      return Kind.INPUT;
    }
    if (failure instanceof UsageException) {
      return Kind.USAGE;
    }
    return failure instanceof NonFiniteException ? Kind.NON_FINITE : Kind.OTHER;
  }

  /**
   * Returns what a failed segment is told as: the exception of the worker's own kind, or a {@link
   * SegmentFailedException} that another attempt may mend.
   *
   * @param dumps what workers that were not finite have left
   * @param reason what Spark says
   */
  static RuntimeException exception(
      List<WorkerFailure> failures, List<String> dumps, String reason, Throwable cause) {
    WorkerFailure first =
        failures.stream().min(Comparator.comparing(WorkerFailure::kind)).orElse(null);
    if (first != null && first.kind() == Kind.INPUT) {
      return new InputException(first.message(), cause);
    }
    if (first != null && first.kind() == Kind.USAGE) {
      return new UsageException(first.message(), cause);
    }
    if (first != null && first.kind() == Kind.NON_FINITE) {
      return new NonFiniteException(first.message(), dumps, cause);
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
