package org.latentspark.tensor;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.util.ShutdownHookManager;

/**
 * Keeps a JVM that is told to end, by a signal or {@link System#exit}, until the work in libtorch
 * has come to a place where it can stop.
 *
 * <p>A JVM that ends runs the destructors of C++ beside its threads: one that is inside libtorch
 * then crashes. Work that takes part is inside of a {@link Region} and looks at {@link #begun}
 * often.
 */
public final class Shutdown {
  /** Before Spark's own hook, at 40, which takes the cluster away. */
  private static final int PRIORITY = 100;

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final long POLL_MILLIS = 20;
  private static final Set<Region> OPEN = ConcurrentHashMap.newKeySet();
  private static volatile boolean begun;

  static {
    if (ShutdownHookManager.get().isShutdownInProgress()) {
      begun = true;
    } else {
      ShutdownHookManager.get()
          .addShutdownHook(Shutdown::drain, PRIORITY, PATIENCE.toSeconds() + 5, TimeUnit.SECONDS);
    }
  }

  private Shutdown() {}

  /** Work that the end of the JVM waits for. */
  public static final class Region implements AutoCloseable {
    private Region() {}

    @Override
    public void close() {
      OPEN.remove(this);
    }
  }

  /** Begins work that the end of the JVM waits for, a minute at most. */
  public static Region enter() {
    Region region = new Region();
    OPEN.add(region);
    return region;
  }

  /**
   * Begins a short piece of work that the end of the JVM waits for.
   *
   * @throws IllegalStateException if the JVM is about to end: no more work may begin
   */
  public static Region enterUnlessBegun() {
    Region region = enter();
    if (begun) {
      region.close();
      throw new IllegalStateException("this process has been told to end");
    }
    return region;
  }

  /** Tells whether the JVM is about to end. */
  public static boolean begun() {
    return begun;
  }

  private static void drain() {
    begun = true;
    long end = System.nanoTime() + PATIENCE.toNanos();
    try {
      while (!OPEN.isEmpty() && System.nanoTime() < end) {
        Thread.sleep(POLL_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
