package org.latentspark.averaging;

import java.util.function.BooleanSupplier;

/**
 * A worker's place in a segment.
 *
 * @param driver the connection to the driver
 * @param host the own address that other workers can reach
 * @param rank the worker, 0 to {@code workers - 1}
 * @param workers all workers of the segment
 * @param place where it computes
 * @param stop tells, before each step, whether to stop there
 */
record Seat(
    DriverLink driver, String host, int rank, int workers, Place place, BooleanSupplier stop) {}
