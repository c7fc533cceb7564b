package org.latentspark.prep;

import java.io.Serializable;

/**
 * What a shard cost.
 *
 * @param seconds from its first row to its last file
 * @param encodeSeconds of those, the encoder was at work
 * @param bytes of image files fetched
 */
record ShardStats(double seconds, double encodeSeconds, long bytes) implements Serializable {}
