package org.latentspark.cli;

/** The command line or the configuration is wrong; the caller may correct it. Exit code 2. */
public final class UsageException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Creates the exception; a message of several lines names one problem a line. */
  public UsageException(String message) {
    super(message);
  }

  /** Creates the exception with what led to it. */
  public UsageException(String message, Throwable cause) {
    super(message, cause);
  }
}
