package org.latentspark.averaging;

/** A worker's loss or parameters became NaN or infinite; the round never reached the average. */
public final class NonFiniteException extends RuntimeException {
  private static final long serialVersionUID = 1;

  NonFiniteException(String message) {
    super(message);
  }
}
