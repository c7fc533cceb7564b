package org.latentspark.averaging;

/**
 * Hears on the driver, in order and while the run goes on, what the workers tell.
 *
 * <p>Reports come on any thread, one at a time; states come on that of the run, which may take its
 * time over them.
 */
public interface RunListener {
  /** Hears a round's report. */
  void round(RoundReport report);

  /**
   * Puts on disk what the reports so far told. A state that holds their rounds is written after it,
   * so that no run goes on from a state whose rounds it has no record of.
   */
  default void keep() {}

  /** Hears that a state is complete in the store, by its name. */
  default void state(String name) {}
}
