package org.latentspark.exchange;

/**
 * Where a worker listens.
 *
 * @param host the worker's host, as others reach it
 * @param port on the host
 * @param local path of a door for workers of the same host; "" for none
 */
public record Address(String host, int port, String local) {}
