package org.latentspark.averaging;

/** A worker's loss or parameters became NaN or infinite; the round never reached the average. */
public final class NonFiniteException extends RuntimeException {
  private static final long serialVersionUID = 1;
  private final String details;

  NonFiniteException(String message, String details, Throwable cause) {
    super(message, cause);
    this.details = details;
  }

  /** Returns what led there, as JSON. */
  public String details() {
    return details;
  }
}
