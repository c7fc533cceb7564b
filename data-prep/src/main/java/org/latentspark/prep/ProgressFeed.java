package org.latentspark.prep;

import java.util.HashMap;
import java.util.List;
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
  private final long accumulator;
  private final Progress progress;
  private final Map<Long, Long> doneByTask = new HashMap<>();
  private long shown;

  private ProgressFeed(SparkContext spark, long accumulator, Progress progress) {
    this.spark = spark;
    this.accumulator = accumulator;
    this.progress = progress;
  }

  static ProgressFeed start(SparkContext spark, LongAccumulator done, long total) {
    ProgressFeed feed =
        new ProgressFeed(spark, done.id(), Progress.start("encode", "pairs", total));
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
      doneByTask.remove(end.taskInfo().taskId());
    }
  }

  private synchronized void update(long task, List<AccumulableInfo> infos) {
    for (AccumulableInfo info : infos) {
      if (info.id() == accumulator && info.update().isDefined()) {
        doneByTask.put(task, ((Number) info.update().get()).longValue());
      }
    }
    long done = doneByTask.values().stream().mapToLong(Long::longValue).sum();
    if (done > shown) {
      progress.advance(done - shown);
      shown = done;
    }
  }

  @Override
  public void close() {
    spark.removeSparkListener(this);
    progress.close();
  }
}
