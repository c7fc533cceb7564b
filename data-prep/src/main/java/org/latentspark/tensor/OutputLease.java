package org.latentspark.tensor;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.latentspark.cli.HeldException;

/**
 * The right to write to an output directory, kept in its {@code lease.json} and renewed while the
 * run lives.
 *
 * <p>A lease whose process is gone, or that is not renewed while a newcomer watches, is dead and
 * taken over; no clocks are compared. On local disks and HDFS, which create a file once only, one
 * newcomer at most takes over a dead run. S3 does not: there the last writer wins, and everyone
 * reads back what stands there, first after {@link #SETTLE} and then at each renewal. That relies
 * on S3's reads that follow every write, and leaves two runs side by side for one renewal at worst.
 */
public final class OutputLease implements AutoCloseable {
  static final Duration RENEWAL = Duration.ofSeconds(10);
  static final Duration EXPIRY = Duration.ofSeconds(45);
  private static final int HELD_BY_ANOTHER = 4;
  private static final Duration SETTLE = Duration.ofSeconds(2);
  private static final long POLL_MILLIS = 250;

  private final LeaseFiles files;
  private final Runnable lost;
  private final ScheduledExecutorService renewals;
  private LeaseHolder self;

  private OutputLease(LeaseFiles files, LeaseHolder self, Runnable lost) {
    this.files = files;
    this.self = self;
    this.lost = lost;
    this.renewals =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "output-lease");
              thread.setDaemon(true);
              return thread;
            });
  }

  /**
   * Takes the lease on an output, after at most {@link #EXPIRY} of watching another holder.
   *
   * <p>If another run takes it over, as after a long standstill of this one, the process ends with
   * exit code 4.
   *
   * @param verb what the run does
   * @throws HeldException with the holder when another run holds it
   * @throws IOException when the output cannot be written
   */
  public static OutputLease take(Path output, Configuration configuration, String verb)
      throws IOException {
    return take(output, configuration, verb, () -> end(output), RENEWAL, EXPIRY);
  }

  private static void end(Path output) {
    System.err.println(output + " was taken over by another run while this one stood still");
    System.exit(HELD_BY_ANOTHER);
  }

  static OutputLease take(
      Path output,
      Configuration configuration,
      String verb,
      Runnable lost,
      Duration renewal,
      Duration expiry)
      throws IOException {
    FileSystem fileSystem = FileSystems.of(output, configuration);
    fileSystem.mkdirs(output);
    LeaseFiles files = new LeaseFiles(output, fileSystem, configuration);
    LeaseHolder self = LeaseHolder.self(verb);
    try {
      acquire(files, self, expiry);
    } catch (IOException | RuntimeException e) {
      self.end();
      throw e;
    }
    OutputLease lease = new OutputLease(files, self, lost);
    lease.renewals.scheduleWithFixedDelay(
        lease::renew, renewal.toMillis(), renewal.toMillis(), TimeUnit.MILLISECONDS);
    return lease;
  }

  private static void acquire(LeaseFiles files, LeaseHolder self, Duration expiry)
      throws IOException {
    while (!files.create(self)) {
      LeaseHolder dead = awaitDeath(files, expiry);
      if (dead != null) {
        if (!files.claim(dead, self) || !self.isSameRun(files.standing())) {
          throw held(files, files.standing());
        }
        files.replace(self);
        break;
      }
    }
    if (!files.areExclusive()) {
      sleep(SETTLE.toMillis());
    }
    LeaseHolder holder = files.standing();
    if (!self.isSameRun(holder)) {
      throw held(files, holder);
    }
  }

  /** Returns the holder once it is known to be dead; null where the lease was given back. */
  private static LeaseHolder awaitDeath(LeaseFiles files, Duration expiry) throws IOException {
    LeaseHolder first = files.standing();
    long end = System.nanoTime() + expiry.toNanos();
    while (first != null && !first.isGone()) {
      boolean expired = System.nanoTime() >= end;
      LeaseHolder now = files.standing();
      boolean moved = now != null && first != LeaseHolder.UNREADABLE && !now.equals(first);
      if (moved || now != null && now.isOwn()) {
        throw held(files, now);
      }
      if (expired) {
        return now;
      }
      first = now;
      sleep(POLL_MILLIS);
    }
    return first;
  }

  private static HeldException held(LeaseFiles files, LeaseHolder holder) {
    Path output = files.directory();
    return new HeldException(
        holder == null
            ? output + " is being taken by another run"
            : "%s is held by %s, process %d on %s, since %s (run %s)"
                .formatted(
                    output,
                    holder.verb(),
                    holder.pid(),
                    holder.host(),
                    holder.since(),
                    holder.run()));
  }

  private void renew() {
    try {
      if (!renewed()) {
        renewals.shutdown();
        lost.run();
      }
    } catch (IOException e) {
      // The next renewal tries again; who finds the lease dead by then takes it over.
      System.err.println("Cannot renew the lease of " + files.directory() + ": " + e.getMessage());
    }
  }

  /** Counts the lease's file up; false where another run has taken it over. */
  private synchronized boolean renewed() throws IOException {
    LeaseHolder holder = files.standing();
    if (holder != null && !self.isSameRun(holder)) {
      return false;
    }
    self = self.renewed();
    files.replace(self);
    return true;
  }

  /** Gives the lease back. */
  @Override
  public void close() throws IOException {
    renewals.shutdownNow();
    synchronized (this) {
      self.end();
      if (self.isSameRun(files.standing())) {
        files.delete();
      }
    }
  }

  private static void sleep(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while taking the output's lease", e);
    }
  }
}
