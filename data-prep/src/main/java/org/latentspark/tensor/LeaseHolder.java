package org.latentspark.tensor;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Who holds a lease, or asks for it.
 *
 * @param run a name that no other run has
 * @param verb what the run does
 * @param processes where {@code pid} means this process; "" where the system does not tell
 * @param renewals counts up while the run lives
 */
record LeaseHolder(
    String run, String verb, String host, long pid, String processes, String since, long renewals) {
  /** Stands for whoever began to write a lease and did not end. */
  static final LeaseHolder UNREADABLE =
      new LeaseHolder("unreadable", "an unknown run", "unknown", -1, "", "unknown", 0);

  /** The runs of this process that hold a lease or ask for one. */
  private static final Set<String> OWN = ConcurrentHashMap.newKeySet();

  /** Returns a holder for a new run of this process, which counts as alive until it has ended. */
  static LeaseHolder self(String verb) {
    LeaseHolder self =
        new LeaseHolder(
            UUID.randomUUID().toString(),
            verb,
            ownHost(),
            ProcessHandle.current().pid(),
            ownProcesses(),
            Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
            0);
    OWN.add(self.run);
    return self;
  }

  void end() {
    OWN.remove(run);
  }

  LeaseHolder renewed() {
    return new LeaseHolder(run, verb, host, pid, processes, since, renewals + 1);
  }

  boolean isSameRun(LeaseHolder other) {
    return other != null && other.run.equals(run);
  }

  /** Tells whether this is a run of this process that is still alive. */
  @JsonIgnore
  boolean isOwn() {
    return OWN.contains(run);
  }

  /** Tells whether the process is known to have ended; its id may since mean another one. */
  @JsonIgnore
  boolean isGone() {
    if (processes.isEmpty() || !processes.equals(ownProcesses())) {
      return false;
    }
    return pid == ProcessHandle.current().pid() ? !isOwn() : ProcessHandle.of(pid).isEmpty();
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
      return Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip()
          + "/"
          + Files.readSymbolicLink(Path.of("/proc/self/ns/pid"));
    } catch (IOException | UnsupportedOperationException e) {
      return "";
    }
  }
}
