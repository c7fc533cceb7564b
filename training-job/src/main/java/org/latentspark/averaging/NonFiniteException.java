package org.latentspark.averaging;

import java.util.List;

/** A worker's loss or parameters became NaN or infinite; the round never reached the average. */
public final class NonFiniteException extends RuntimeException {
  private static final long serialVersionUID = 1;
  private final List<String> dumps;

  NonFiniteException(String message) {
    super(message);
    this.dumps = List.of();
  }

  NonFiniteException(String message, List<String> dumps, Throwable cause) {
    super(message, cause);
    this.dumps = List.copyOf(dumps);
  }

  /** Returns, as JSON, what led there on each worker that was not finite. */
  public List<String> dumps() {
    return dumps;
  }
}
