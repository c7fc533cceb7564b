package org.latentspark.prep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.HeldException;

@Tag("slow")
class TestOutputLease {
  private static final Configuration HADOOP = new Configuration();

  @TempDir java.nio.file.Path folder;
  private Path output;

  @BeforeEach
  void pickOutput() {
    output = new Path(folder.toUri());
  }

  @Test
  void aLivingHolderIsNamedAndKeepsTheOutput() throws Exception {
    try (OutputLease lease = OutputLease.take(output, HADOOP)) {
      assertThatThrownBy(() -> OutputLease.take(output, HADOOP))
          .isInstanceOf(HeldException.class)
          .hasMessageContaining("held by process " + ProcessHandle.current().pid());
      lease.requireHeld();
    }
    assertThat(folder).as("nothing is left of the lease").isEmptyDirectory();
    OutputLease.take(output, HADOOP).close();
  }

  @Test
  void aProcessOfThisMachineThatHasEndedIsNotWaitedFor() throws Exception {
    write(
        """
        {"id":"x","host":"%s","process":4194300,"started":"2026-01-01T00:00:00Z","renewals":7}
        """
            .formatted(java.net.InetAddress.getLocalHost().getHostName()));
    Instant start = Instant.now();
    OutputLease.take(output, HADOOP).close();
    assertThat(Duration.between(start, Instant.now())).isLessThan(Duration.ofSeconds(10));
  }

  @Test
  void theLeaseOfAMachineThatIsGoneExpires() throws Exception {
    write(
        """
        {"id":"x","host":"far-away","process":1,"started":"2026-01-01T00:00:00Z","renewals":7}
        """);
    OutputLease.take(output, HADOOP).close();
  }

  @Test
  void whoStoodStillTooLongHasLostIt() throws Exception {
    OutputLease lease = OutputLease.take(output, HADOOP);
    write(
        """
        {"id":"y","host":"far-away","process":1,"started":"2026-01-01T00:00:00Z","renewals":0}
        """);
    assertThatThrownBy(lease::requireHeld)
        .isInstanceOf(HeldException.class)
        .hasMessageContaining("held by process 1 on far-away");
    lease.close();
    assertThat(folder.resolve("_work/lease.json")).as("the new holder's").exists();
  }

  private void write(String json) throws Exception {
    Files.createDirectories(folder.resolve("_work"));
    Files.writeString(folder.resolve("_work/lease.json"), json);
  }
}
