package org.latentspark.tensor;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * Single background threads, whose work with tensors has to end before the tensors' memory goes.
 */
public final class BackgroundThreads {
  private BackgroundThreads() {}

  /** Returns one thread that does what it is given in that order and keeps no JVM from ending. */
  public static ExecutorService one(String name) {
    return Executors.newSingleThreadExecutor(
        work -> {
          Thread thread = new Thread(work, name);
          thread.setDaemon(true);
          return thread;
        });
  }

  /** Takes no more work and waits for the end of what was given, whoever interrupts. */
  public static void finish(ExecutorService thread) {
    thread.shutdown();
    boolean interrupted = false;
    while (!thread.isTerminated()) {
      try {
        thread.awaitTermination(1, TimeUnit.MINUTES);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
