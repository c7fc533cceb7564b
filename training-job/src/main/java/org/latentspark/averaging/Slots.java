package org.latentspark.averaging;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.TaskSchedulerImpl;
import org.latentspark.tensor.StoppedException;

/**
 * The task slots of the cluster. All workers of a segment start at once, so it needs as many slots
 * as workers: Spark would wait for a missing one without end. What it takes to count them is open
 * to Spark's own packages in Scala, and to all in Java.
 */
public final class Slots {
  private static final long POLL_MILLIS = 100;

  private final SparkContext spark;

  /** Watches the slots of a cluster. */
  public Slots(JavaSparkContext spark) {
    this.spark = spark.sc();
  }

  /** Returns how many tasks can run at once now, by cores, GPUs and whatever else tasks ask for. */
  public int count() {
    return spark.maxNumConcurrentTasks(spark.resourceProfileManager().defaultResourceProfile());
  }

  /** Returns {@link #count} once it has reached {@code wanted}, or when patience is at an end. */
  public int await(int wanted, Duration patience) {
    // Executors come and go; a local master's slots never change.
    long end = System.nanoTime() + (spark.isLocal() ? 0 : patience.toNanos());
    while (count() < wanted && System.nanoTime() < end) {
      sleep();
    }
    return count();
  }

  /**
   * Waits until no task of a failed segment runs any more, so that none of them writes beside the
   * next attempt, and has executors replaced whose tasks do not end, such as hung ones.
   *
   * @return the executors that were replaced
   */
  public List<String> settle(Duration patience) {
    long end = System.nanoTime() + patience.toNanos();
    while (!busy().isEmpty() && System.nanoTime() < end) {
      sleep();
    }
    List<String> hung = busy();
    hung.forEach(spark::killAndReplaceExecutor);
    end = System.nanoTime() + patience.toNanos();
    while (!busy().isEmpty() && System.nanoTime() < end) {
      sleep();
    }
    return hung;
  }

  private List<String> busy() {
    List<String> busy = new ArrayList<>();
    if (spark.taskScheduler() instanceof TaskSchedulerImpl scheduler) {
      var running = scheduler.runningTasksByExecutors().iterator();
      while (running.hasNext()) {
        var executor = running.next();
        if ((Integer) executor._2() > 0) {
          busy.add(executor._1());
        }
      }
    }
    return busy;
  }

  private static void sleep() {
    try {
      Thread.sleep(POLL_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StoppedException("Interrupted while waiting for task slots");
    }
  }
}
