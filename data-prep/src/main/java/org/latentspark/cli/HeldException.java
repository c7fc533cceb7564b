package org.latentspark.cli;

/** Another run holds the output; the caller may try again once it is done. Exit code 4. */
public class HeldException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Creates the exception; the message names the output and its holder. */
  public HeldException(String message) {
    super(message);
  }

  /** Creates the exception with what led to it. */
  public HeldException(String message, Throwable cause) {
    super(message, cause);
  }
}
