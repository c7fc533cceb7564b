package org.latentspark.exchange;

/**
 * One of the workers that exchange.
 *
 * @param meeting tells where the others listen
 * @param secret what they prove to each other that they know
 * @param host the own address that other workers can reach
 * @param rank the worker, 0 to {@code workers - 1}
 * @param workers all workers of the stage
 * @param place where it computes
 */
public record Member(
    Meeting meeting, Secret secret, String host, int rank, int workers, Place place) {}
