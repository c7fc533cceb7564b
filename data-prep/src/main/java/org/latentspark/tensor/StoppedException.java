package org.latentspark.tensor;

/** The run was told to stop; the next one goes on from the last checkpoint. */
public final class StoppedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** Tells what was given up. */
  public StoppedException(String message) {
    super(message);
  }

  /**
   * Called between two pieces of long work in libtorch, inside of which a JVM must not end.
   *
   * @param work what is being done
   * @throws StoppedException when the JVM was told to end
   */
  public static void ifTold(String work) {
    if (Shutdown.begun()) {
      throw new StoppedException("Told to stop: " + work + " is given up");
    }
  }
}
