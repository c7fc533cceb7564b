package org.latentspark.prep;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.latentspark.cli.HeldException;
import org.latentspark.latents.CompleteFile;
import org.latentspark.tensor.FileSystems;

/**
 * The right to write a dataset: a small file that its holder renews, so that a second run refuses
 * while the first is alive, and takes over when it is dead.
 *
 * <p>No file system is asked for more than to show a file whole: of two that take the lease at the
 * same moment, the one whose file stands a moment later has it.
 */
final class OutputLease implements AutoCloseable {
  private static final Duration RENEWAL = Duration.ofSeconds(3);
  private static final Duration EXPIRY = Duration.ofSeconds(20);
  private static final Duration SETTLING = Duration.ofMillis(500);
  private static final JsonMapper JSON = new JsonMapper();

  private final Path file;
  private final FileSystem files;
  private final Configuration configuration;
  private final AtomicReference<Holder> own = new AtomicReference<>();
  private final AtomicReference<Throwable> failure = new AtomicReference<>();
  private final ScheduledExecutorService renewal =
      Executors.newSingleThreadScheduledExecutor(
          work -> {
            Thread thread = new Thread(work, "renew-lease");
            thread.setDaemon(true);
            return thread;
          });

  /** Who holds the output; {@code renewals} grows while it lives. */
  record Holder(String id, String host, long process, String started, long renewals) {
    static Holder self() throws IOException {
      return new Holder(
          UUID.randomUUID().toString(),
          InetAddress.getLocalHost().getHostName(),
          ProcessHandle.current().pid(),
          start(ProcessHandle.current()),
          0);
    }

    Holder renewed() {
      return new Holder(id, host, process, started, renewals + 1);
    }

    /** A process of this machine that has ended needs no waiting. */
    boolean isGoneFrom(String thisHost) {
      return host.equals(thisHost)
          && ProcessHandle.of(process).filter(handle -> start(handle).equals(started)).isEmpty();
    }

    private static String start(ProcessHandle process) {
      return process.info().startInstant().map(Instant::toString).orElse("");
    }
  }

  private OutputLease(Path output, Configuration configuration) throws IOException {
    this.file = new Path(new Path(output, Journal.FOLDER), "lease.json");
    this.configuration = configuration;
    this.files = FileSystems.of(file, configuration);
  }

  /**
   * Takes the lease of {@code output}; waits as long as it takes a dead holder's to expire.
   *
   * @throws HeldException naming the holder if another run is alive
   */
  static OutputLease take(Path output, Configuration configuration)
      throws IOException, InterruptedException {
    OutputLease lease = new OutputLease(output, configuration);
    Holder self = Holder.self();
    lease.awaitDeath(self.host());
    lease.write(self);
    Thread.sleep(SETTLING.toMillis());
    lease.requireHeld();
    lease.renewal.scheduleWithFixedDelay(
        lease::renew, RENEWAL.toMillis(), RENEWAL.toMillis(), TimeUnit.MILLISECONDS);
    return lease;
  }

  private void awaitDeath(String host) throws IOException, InterruptedException {
    Holder first = read();
    long deadline = System.nanoTime() + EXPIRY.toNanos();
    while (first != null && !first.isGoneFrom(host) && System.nanoTime() < deadline) {
      Thread.sleep(RENEWAL.toMillis() / 2);
      Holder now = read();
      if (now == null) {
        return;
      }
      if (!now.equals(first)) {
        throw held(now);
      }
    }
  }

  /**
   * Checks that no other run has taken the output meanwhile, as it may when this process stood
   * still for longer than the lease lasts.
   *
   * @throws HeldException naming the new holder
   */
  void requireHeld() throws IOException {
    if (failure.get() != null) {
      throw new IOException(file + ": the lease could not be renewed", failure.get());
    }
    Holder now = read();
    if (now == null || !now.id().equals(own.get().id())) {
      throw held(now);
    }
  }

  private HeldException held(Holder holder) {
    return new HeldException(
        holder == null
            ? file + " was removed while this run held it"
            : "output = %s: held by process %d on %s, which runs since %s"
                .formatted(
                    file.getParent().getParent(),
                    holder.process(),
                    holder.host(),
                    holder.started()));
  }

  private void renew() {
    try {
      requireHeld();
      write(own.get().renewed());
    } catch (IOException | RuntimeException e) {
      failure.compareAndSet(null, e);
      renewal.shutdown();
    }
  }

  private void write(Holder holder) throws IOException {
    own.set(holder);
    CompleteFile.write(file, JSON.writeValueAsBytes(holder), configuration);
  }

  private Holder read() throws IOException {
    try (InputStream in = files.open(file)) {
      return JSON.readValue(in, Holder.class);
    } catch (FileNotFoundException e) {
      return null;
    }
  }

  /** Gives the lease back; its folder goes with it unless unfinished work lies there. */
  @Override
  public void close() throws IOException {
    renewal.shutdownNow();
    try {
      renewal.awaitTermination(EXPIRY.toSeconds(), TimeUnit.SECONDS);
      requireHeld();
      files.delete(file, false);
      for (FileStatus leftover : files.listStatus(file.getParent())) {
        if (CompleteFile.isLeftover(leftover.getPath().getName(), file.getName())) {
          files.delete(leftover.getPath(), false);
        }
      }
      if (files.listStatus(file.getParent()).length == 0) {
        files.delete(file.getParent(), false);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (FileNotFoundException | HeldException e) {
      // Another run's by now.
    }
  }
}
