package org.latentspark.cli;

/** The input data cannot be used: missing, damaged or of another kind. Exit code 3. */
public class InputException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Creates the exception; the message names the item, what it holds and what is expected. */
  public InputException(String message) {
    super(message);
  }

  /** Creates the exception with what led to it. */
  public InputException(String message, Throwable cause) {
    super(message, cause);
  }
}
