package org.latentspark.tensor;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.latentspark.cli.HeldException;

/**
 * The right to write to an output directory, kept in its {@code lease.json} and renewed while the
 * run lives.
 *
 * <p>A lease whose process is gone, or that is not renewed while a newcomer watches, is dead and
 * taken over; no clocks are compared. Local disks and HDFS create a file once only. S3 does not:
 * there, and where two newcomers meet at a dead lease, the last writer wins, and everyone reads
 * back what stands there, first after {@link #SETTLE} and then at each renewal. That relies on S3's
 * reads that follow every write, and leaves two runs side by side for one renewal at worst.
 */
public final class OutputLease implements AutoCloseable {
  static final String FILE_NAME = "lease.json";
  static final Duration RENEWAL = Duration.ofSeconds(10);
  static final Duration EXPIRY = Duration.ofSeconds(45);
  private static final int HELD_BY_ANOTHER = 4;
  private static final Duration SETTLE = Duration.ofSeconds(2);
  private static final long POLL_MILLIS = 250;
  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * What the file says.
   *
   * @param run a name that no other run has
   * @param verb what the run does
   * @param processes where {@code pid} means this process; "" where the system does not tell
   * @param renewals counts up while the run lives
   */
  record Holder(
      String run,
      String verb,
      String host,
      long pid,
      String processes,
      String since,
      long renewals) {
    private static Holder self(String verb) {
      return new Holder(
          UUID.randomUUID().toString(),
          verb,
          ownHost(),
          ProcessHandle.current().pid(),
          ownProcesses(),
          Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
          0);
    }

    private Holder renewed() {
      return new Holder(run, verb, host, pid, processes, since, renewals + 1);
    }

    /** Tells whether the process is known to have ended; its id may since mean another one. */
    private boolean isGone() {
      if (processes.isEmpty() || !processes.equals(ownProcesses())) {
        return false;
      }
      return pid == ProcessHandle.current().pid()
          ? !HELD.contains(run)
          : ProcessHandle.of(pid).isEmpty();
    }
  }

  /** The runs of this process that hold a lease. */
  private static final Set<String> HELD = ConcurrentHashMap.newKeySet();

  private final Path file;
  private final FileSystem fileSystem;
  private final Runnable lost;
  private final ScheduledExecutorService renewals;
  private Holder self;

  private OutputLease(Path file, FileSystem fileSystem, Holder self, Runnable lost) {
    this.file = file;
    this.fileSystem = fileSystem;
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
    OutputLease lease =
        new OutputLease(new Path(output, FILE_NAME), fileSystem, Holder.self(verb), lost);
    boolean certain = lease.create();
    if (!certain) {
      lease.requireDead(expiry);
      fileSystem.delete(lease.file, false);
      lease.create();
    }
    String scheme = fileSystem.getUri().getScheme();
    if (!certain || !(scheme.equals("file") || scheme.equals("hdfs"))) {
      sleep(SETTLE.toMillis());
    }
    Holder holder = lease.read();
    if (!lease.isSelf(holder)) {
      throw lease.held(holder);
    }
    HELD.add(holder.run());
    lease.renewals.scheduleWithFixedDelay(
        lease::renew, renewal.toMillis(), renewal.toMillis(), TimeUnit.MILLISECONDS);
    return lease;
  }

  /** Writes the own lease where there is none; tells whether it did. */
  private boolean create() throws IOException {
    byte[] text = JSON.writeValueAsBytes(self);
    try {
      if (fileSystem.getUri().getScheme().equals("file")) {
        // Hadoop's local file system looks and then creates; this does both at once.
        Files.write(
            java.nio.file.Path.of(file.toUri().getPath()), text, StandardOpenOption.CREATE_NEW);
      } else {
        try (OutputStream out = fileSystem.create(file, false)) {
          out.write(text);
        }
      }
      return true;
    } catch (FileAlreadyExistsException | java.nio.file.FileAlreadyExistsException e) {
      return false;
    }
  }

  /** Returns once the lease that stands there is dead. */
  private void requireDead(Duration expiry) throws IOException {
    Holder first = read();
    long end = System.nanoTime() + expiry.toNanos();
    while (System.nanoTime() < end && !(first != null && first.isGone())) {
      Holder now = read();
      if (now != null && (HELD.contains(now.run()) || first != null && !now.equals(first))) {
        throw held(now);
      }
      if (now == null && !fileSystem.exists(file)) {
        return;
      }
      first = now;
      sleep(POLL_MILLIS);
    }
  }

  private HeldException held(Holder holder) {
    Path output = file.getParent();
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

  private synchronized boolean isSelf(Holder holder) {
    return holder != null && holder.run().equals(self.run());
  }

  /** Returns what the file says; null where there is none, or half of one. */
  private Holder read() throws IOException {
    try (InputStream in = fileSystem.open(file)) {
      return JSON.readValue(in.readAllBytes(), Holder.class);
    } catch (FileNotFoundException | JsonProcessingException e) {
      return null;
    }
  }

  private void renew() {
    try {
      if (!renewed()) {
        renewals.shutdown();
        lost.run();
      }
    } catch (IOException e) {
      // The next renewal tries again; who finds the lease dead by then takes it over.
      System.err.println("Cannot renew " + file + ": " + e.getMessage());
    }
  }

  /** Counts the lease's file up; false where another run has taken it over. */
  private synchronized boolean renewed() throws IOException {
    Holder holder = read();
    if (holder != null && !isSelf(holder)) {
      return false;
    }
    self = self.renewed();
    try (OutputStream out = fileSystem.create(file, true)) {
      out.write(JSON.writeValueAsBytes(self));
    }
    return true;
  }

  /** Gives the lease back. */
  @Override
  public void close() throws IOException {
    renewals.shutdownNow();
    synchronized (this) {
      HELD.remove(self.run());
      if (isSelf(read())) {
        fileSystem.delete(file, false);
      }
    }
  }

  private static String ownHost() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "unknown";
    }
  }

  /** Names the machine since its start and the container in which process ids mean the same. */
  private static String ownProcesses() {
    try {
      return Files.readString(java.nio.file.Path.of("/proc/sys/kernel/random/boot_id")).strip()
          + "/"
          + Files.readSymbolicLink(java.nio.file.Path.of("/proc/self/ns/pid"));
    } catch (IOException | UnsupportedOperationException e) {
      return "";
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
