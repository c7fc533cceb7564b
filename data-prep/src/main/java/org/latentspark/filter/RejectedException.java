package org.latentspark.filter;

/**
 * Ends the work on one pair, which is then rejected; it is no failure of the job.
 *
 * <p>Carries no stack trace: there may be millions of them, and each says all in its reason.
 */
public final class RejectedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Rejection rejection;

  /** Creates the exception. */
  public RejectedException(RejectReason reason, String detail) {
    super(reason.code() + (detail == null ? "" : ": " + detail), null, false, false);
    this.rejection = reason.because(detail);
  }

  /** Returns what becomes of the pair. */
  public Rejection rejection() {
    return rejection;
  }
}
