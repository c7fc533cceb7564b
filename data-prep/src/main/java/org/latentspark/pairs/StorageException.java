package org.latentspark.pairs;

/**
 * The storage of a source does not answer: no damage, so nothing may be counted as damaged, and the
 * task is to be tried again.
 */
final class StorageException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  StorageException(String message, Throwable cause) {
    super(message, cause);
  }
}
