package org.latentspark.averaging;

/** Hears on the driver, in order and while the run goes on, what the workers tell. */
public interface RunListener {
  /** Hears a round's report. */
  void round(RoundReport report);

  /** Hears that a state is complete in the store, by its name. */
  default void state(String name) {}
}
