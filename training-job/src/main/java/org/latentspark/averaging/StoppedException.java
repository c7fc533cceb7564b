package org.latentspark.averaging;

/** The run was told to stop; the next one goes on from the last checkpoint. */
public final class StoppedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  StoppedException(String message) {
    super(message);
  }
}
