package org.latentspark.prep;

import java.io.Serializable;

/**
 * A shard of the work that needs no more of it.
 *
 * @param shard its number among the plan's partitions
 * @param contents the rows it was made of
 * @param result the files it was made to
 * @param stats what it cost
 */
record FinishedShard(int shard, ShardContents contents, ShardResult result, ShardStats stats)
    implements Serializable {}
