package org.latentspark.averaging;

/** A segment was lost to a cause outside of it, such as a lost executor; it may be rerun. */
public final class SegmentFailedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  SegmentFailedException(String message, Throwable cause) {
    super(message, cause);
  }
}
