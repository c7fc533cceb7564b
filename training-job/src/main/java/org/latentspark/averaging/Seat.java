package org.latentspark.averaging;

import java.util.function.BooleanSupplier;
import org.latentspark.exchange.Member;

/**
 * A worker's place in a segment.
 *
 * @param driver the connection to the driver
 * @param member who it is among those that exchange
 * @param stop tells, before each step, whether to stop there
 */
record Seat(DriverLink driver, Member member, BooleanSupplier stop) {
  /** Returns the worker, 0 to {@code workers - 1}. */
  int rank() {
    return member.rank();
  }

  /** Returns how many workers the segment has. */
  int workers() {
    return member.workers();
  }
}
