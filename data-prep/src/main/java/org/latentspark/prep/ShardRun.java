package org.latentspark.prep;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.apache.spark.SparkContext;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Row;
import org.apache.spark.util.SerializableConfiguration;
import scala.Tuple2;
import scala.collection.JavaConverters;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractFunction2;
import scala.runtime.BoxedUnit;

/**
 * Works off the shards of a plan that the journal does not have, and enters each in the journal
 * when Spark hands its result to the driver: that happens once, however often it was tried.
 */
final class ShardRun {
  private final SparkContext spark;
  private final PrepSettings settings;
  private final EncoderFacts facts;
  private final Journal journal;

  ShardRun(SparkContext spark, PrepSettings settings, EncoderFacts facts, Journal journal) {
    this.spark = spark;
    this.settings = settings;
    this.facts = facts;
    this.journal = journal;
  }

  /** Returns all shards of {@code pairs}, in their order. */
  List<FinishedShard> run(PairTable pairs, int partitions) throws IOException {
    JavaPairRDD<String, Row> rows = pairs.shards(partitions);
    Map<Integer, FinishedShard> finished = stillValid(rows, journal.finished());
    long done = finished.values().stream().mapToLong(shard -> shard.contents().pairs()).sum();
    PrepMetrics metrics = PrepMetrics.ofRun();
    finished.values().forEach(metrics::add);
    if (!finished.isEmpty()) {
      System.out.printf(
          "Going on with the work of an earlier run: %d of %d shards are done, with %d pairs%n",
          finished.size(), partitions, done);
    }
    List<Integer> open =
        IntStream.range(0, partitions)
            .filter(shard -> !finished.containsKey(shard))
            .boxed()
            .toList();
    if (!open.isEmpty()) {
      work(rows, open, pairs.read() - done, finished, metrics);
    }
    return List.copyOf(finished.values());
  }

  /** Keeps the shards whose rows are what they were: a source may have changed meanwhile. */
  private Map<Integer, FinishedShard> stillValid(
      JavaPairRDD<String, Row> rows, List<FinishedShard> before) {
    Map<Integer, FinishedShard> valid = new TreeMap<>();
    if (before.isEmpty()) {
      return valid;
    }
    int[] shards = before.stream().mapToInt(FinishedShard::shard).toArray();
    List<ShardContents>[] contents =
        rows.mapPartitions(ShardRun::contents).collectPartitions(shards);
    for (int i = 0; i < shards.length; i++) {
      if (contents[i].get(0).equals(before.get(i).contents())) {
        valid.put(shards[i], before.get(i));
      }
    }
    return valid;
  }

  private static Iterator<ShardContents> contents(Iterator<Tuple2<String, Row>> rows) {
    ShardContents contents = ShardContents.EMPTY;
    while (rows.hasNext()) {
      contents = contents.plus(rows.next()._2());
    }
    return Collections.singleton(contents).iterator();
  }

  private void work(
      JavaPairRDD<String, Row> rows,
      List<Integer> open,
      long pairs,
      Map<Integer, FinishedShard> finished,
      PrepMetrics metrics)
      throws IOException {
    EncodeCounters counters = EncodeCounters.of(spark);
    JavaRDD<FinishedShard> encoded =
        rows.mapPartitions(
            new EncodeTask(
                settings,
                facts,
                new SerializableConfiguration(spark.hadoopConfiguration()),
                counters));
    // Spark's scheduler must not wait for the journal's file system.
    ExecutorService writer = Executors.newSingleThreadExecutor();
    List<Future<FinishedShard>> written = new ArrayList<>();
    try (ProgressFeed progress = ProgressFeed.start(spark, counters, pairs)) {
      spark.runJob(
          encoded.rdd(),
          new Only(),
          JavaConverters.asScalaBuffer(new ArrayList<Object>(open)).toSeq(),
          new AbstractFunction2<Object, FinishedShard, BoxedUnit>() {
            @Override
            public BoxedUnit apply(Object place, FinishedShard shard) {
              written.add(
                  writer.submit(
                      () -> {
                        journal.add(shard);
                        metrics.add(shard);
                        return shard;
                      }));
              return BoxedUnit.UNIT;
            }
          },
          ClassTag$.MODULE$.apply(FinishedShard.class));
      for (Future<FinishedShard> shard : written) {
        finished.put(shard.get().shard(), shard.get());
      }
    } catch (ExecutionException e) {
      throw new IOException("a finished shard could not be entered in the journal", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } finally {
      writer.shutdownNow();
    }
  }

  /** Takes the one shard that a partition has become. */
  private static final class Only
      extends AbstractFunction2<
          TaskContext, scala.collection.Iterator<FinishedShard>, FinishedShard>
      implements Serializable {
    private static final long serialVersionUID = 1L;

    @Override
    public FinishedShard apply(
        TaskContext context, scala.collection.Iterator<FinishedShard> shards) {
      return shards.next();
    }
  }
}
