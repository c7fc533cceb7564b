package org.latentspark.prep;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.spark.SparkContext;
import org.apache.spark.Success$;
import org.apache.spark.scheduler.AccumulableInfo;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorMetricsUpdate;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.util.LongAccumulator;
import org.latentspark.cli.Progress;
import scala.collection.JavaConverters;

/**
 * Feeds the progress line with what running tasks report by heartbeat, and finished ones at their
 * end; an accumulator's own value on the driver moves only when a task ends.
 */
final class ProgressFeed extends SparkListener implements AutoCloseable {
  private final SparkContext spark;
  private final EncodeCounters counters;
  private final Progress progress;
  private final long started = System.nanoTime();

  /** Values of the accumulators by id, by task. */
  private final Map<Long, Map<Long, Long>> byTask = new HashMap<>();

  private long shown;

  private ProgressFeed(SparkContext spark, EncodeCounters counters, Progress progress) {
    this.spark = spark;
    this.counters = counters;
    this.progress = progress;
  }

  static ProgressFeed start(SparkContext spark, EncodeCounters counters, long total) {
    ProgressFeed feed = new ProgressFeed(spark, counters, Progress.start("encode", "pairs", total));
    spark.addSparkListener(feed);
    return feed;
  }

  @Override
  public void onExecutorMetricsUpdate(SparkListenerExecutorMetricsUpdate update) {
    JavaConverters.seqAsJavaList(update.accumUpdates())
        .forEach(task -> update((long) task._1(), JavaConverters.seqAsJavaList(task._4())));
  }

  @Override
  public synchronized void onTaskEnd(SparkListenerTaskEnd end) {
    if (end.reason() == Success$.MODULE$) {
      update(
          end.taskInfo().taskId(),
          JavaConverters.seqAsJavaList(end.taskInfo().accumulables().toSeq()));
    } else {
      byTask.remove(end.taskInfo().taskId());
    }
  }

  private synchronized void update(long task, List<AccumulableInfo> infos) {
    Map<Long, Long> values = byTask.computeIfAbsent(task, any -> new HashMap<>());
    for (AccumulableInfo info : infos) {
      if (info.update().isDefined() && info.update().get() instanceof Number value) {
        values.put(info.id(), value.longValue());
      }
    }
    long pairs = sum(counters.pairs());
    if (pairs > shown) {
      progress.advance(pairs - shown);
      shown = pairs;
      progress.note(
          String.format(
              Locale.ROOT,
              ", %.0f %% encoded, %.1f MB/s",
              100.0 * sum(counters.encoded()) / pairs,
              sum(counters.bytes()) * 1e3 / Math.max(1, System.nanoTime() - started)));
    }
  }

  private long sum(LongAccumulator counter) {
    return byTask.values().stream()
        .mapToLong(values -> values.getOrDefault(counter.id(), 0L))
        .sum();
  }

  @Override
  public void close() {
    spark.removeSparkListener(this);
    progress.close();
  }
}
