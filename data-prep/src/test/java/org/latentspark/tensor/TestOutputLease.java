package org.latentspark.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.HeldException;

class TestOutputLease {
  private static final Duration RENEWAL = Duration.ofMillis(300);
  private static final Duration EXPIRY = Duration.ofSeconds(3);

  @TempDir private Path output;
  private final CountDownLatch lost = new CountDownLatch(1);

  /** Holds the lease on the folder that it is given until it is killed. */
  public static final class HoldingProcess {
    private HoldingProcess() {}

    public static void main(String[] arguments) throws Exception {
      try (OutputLease lease = take(Path.of(arguments[0]), () -> {})) {
        Thread.sleep(Duration.ofMinutes(5).toMillis());
      }
    }
  }

  @Test
  void secondRunIsRefusedWithTheHoldersName() throws Exception {
    try (OutputLease lease = take()) {
      assertThatThrownBy(this::take)
          .isInstanceOf(HeldException.class)
          .hasMessageContaining(
              output.getFileName() + " is held by test, process " + ProcessHandle.current().pid())
          .hasMessageContaining(" on ")
          .hasMessageContaining(", since 20")
          .hasMessageContaining("(run " + holder().get("run").asText());
    }
    assertThat(file()).as("lease after its end").doesNotExist();
    take().close();
  }

  @Tag("chaos")
  @Test
  void liveProcessIsRespectedAndAKilledOneLosesItsLeaseAtOnce() throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                HoldingProcess.class.getName(),
                output.toString())
            .inheritIO()
            .start();
    try {
      awaitLine("\"renewals\":1");
      assertThatThrownBy(this::take)
          .isInstanceOf(HeldException.class)
          .hasMessageContaining("process " + process.pid());
    } finally {
      process.destroyForcibly().waitFor();
    }
    assertThat(file()).as("lease of a killed process").exists();
    long start = System.nanoTime();
    OutputLease.take(hadoopPath(output), new Configuration(), "test").close();
    assertThat(Duration.ofNanos(System.nanoTime() - start))
        .as("time to take a dead process' lease")
        .isLessThan(OutputLease.EXPIRY);
  }

  @Tag("chaos")
  @Test
  void holderElsewhereThatIsNotSeenAliveIsDead() throws Exception {
    foreign(0);
    long start = System.nanoTime();
    try (OutputLease lease = take()) {
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(EXPIRY);
      assertThat(holder().get("verb").asText()).isEqualTo("test");
    }
  }

  @Tag("chaos")
  @Test
  void holderElsewhereThatRenewsIsRespected() throws Exception {
    foreign(0);
    Thread renewing =
        new Thread(
            () -> {
              try {
                for (int renewals = 1; renewals < 100; renewals++) {
                  Thread.sleep(200);
                  foreign(renewals);
                }
              } catch (IOException | InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
    renewing.start();
    try {
      assertThatThrownBy(this::take)
          .isInstanceOf(HeldException.class)
          .hasMessageContaining("process 7 on elsewhere");
    } finally {
      renewing.interrupt();
      renewing.join();
    }
  }

  @Tag("chaos")
  @Test
  void halfWrittenLeaseExpires() throws Exception {
    Files.writeString(file(), "{\"run\":");
    try (OutputLease lease = take()) {
      assertThat(holder().get("verb").asText()).isEqualTo("test");
    }
  }

  @Tag("chaos")
  @Test
  void takenOverHolderLearnsOfItAndLeavesTheOthersLease() throws Exception {
    try (OutputLease lease = take()) {
      foreign(5);
      assertThat(lost.await(30, TimeUnit.SECONDS)).as("holder is told").isTrue();
    }
    assertThat(holder().get("host").asText()).as("lease of the other").isEqualTo("elsewhere");
  }

  @Tag("chaos")
  @Test
  void newcomerRespectsOneThatHasJustTakenADeadLease() throws Exception {
    foreign(0);
    ExecutorService pool = Executors.newSingleThreadExecutor();
    Callable<OutputLease> first = this::take;
    Future<OutputLease> taken = pool.submit(first);
    awaitLine("\"pid\":" + ProcessHandle.current().pid());
    assertThatThrownBy(this::take).isInstanceOf(HeldException.class);
    taken.get().close();
    pool.shutdown();
    assertThat(output).as("what a lease leaves").isEmptyDirectory();
  }

  @Tag("chaos")
  @Test
  void successorThatDiedBeforeItHeldTheLeaseIsFollowedInItsTurn() throws Exception {
    foreign(0);
    foreign("lease-after-r.json", "r2", 0);
    foreign(".lease.json.killed-in-its-renewal", "r", 0);
    long start = System.nanoTime();
    take().close();
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(EXPIRY);
    assertThat(output).as("what a lease leaves").isEmptyDirectory();
  }

  @Tag("chaos")
  @Test
  void holderYieldsToASuccessorThatHasClaimedItsLease() throws Exception {
    try (OutputLease lease = take()) {
      foreign("lease-after-" + holder().get("run").asText() + ".json", "r2", 0);
      assertThat(lost.await(30, TimeUnit.SECONDS)).as("holder is told").isTrue();
    }
    assertThat(file()).as("lease that the successor will replace").exists();
  }

  @Tag("chaos")
  @Test
  void oneOfManyNewcomersWins() throws Exception {
    for (boolean dead : new boolean[] {false, true}) {
      if (dead) {
        foreign(0);
      }
      ExecutorService pool = Executors.newFixedThreadPool(8);
      CountDownLatch begin = new CountDownLatch(1);
      List<Future<OutputLease>> attempts = new ArrayList<>();
      for (int index = 0; index < 8; index++) {
        Callable<OutputLease> attempt =
            () -> {
              begin.await();
              return take();
            };
        attempts.add(pool.submit(attempt));
      }
      begin.countDown();
      List<OutputLease> won = new ArrayList<>();
      for (Future<OutputLease> attempt : attempts) {
        try {
          won.add(attempt.get());
        } catch (ExecutionException e) {
          assertThat(e).hasCauseInstanceOf(HeldException.class);
        }
      }
      pool.shutdown();
      assertThat(won).as("holders after a dead one: %s", dead).hasSize(1);
      won.get(0).close();
    }
  }

  private OutputLease take() throws IOException {
    return take(output, lost::countDown);
  }

  private static OutputLease take(Path output, Runnable lost) throws IOException {
    return OutputLease.take(hadoopPath(output), new Configuration(), "test", lost, RENEWAL, EXPIRY);
  }

  /** Writes the lease of a run on another machine. */
  private void foreign(long renewals) throws IOException {
    foreign(LeaseFiles.FILE_NAME, "r", renewals);
  }

  private void foreign(String name, String run, long renewals) throws IOException {
    ObjectMapper json = new ObjectMapper();
    Files.write(
        output.resolve(name),
        json.writeValueAsBytes(
            new LeaseHolder(
                run, "train", "elsewhere", 7, "another", "2026-11-23T00:00:00Z", renewals)));
  }

  private void awaitLine(String text) throws Exception {
    long end = System.nanoTime() + Duration.ofMinutes(2).toNanos();
    while (!Files.exists(file()) || !Files.readString(file()).contains(text)) {
      assertThat(System.nanoTime()).as("deadline of %s", text).isLessThan(end);
      Thread.sleep(20);
    }
  }

  /** Reads the lease, at a moment when it is not just being renewed. */
  private JsonNode holder() throws IOException {
    JsonNode holder = new ObjectMapper().readTree(file().toFile());
    while (holder.isMissingNode()) {
      holder = new ObjectMapper().readTree(file().toFile());
    }
    return holder;
  }

  private Path file() {
    return output.resolve(LeaseFiles.FILE_NAME);
  }

  private static org.apache.hadoop.fs.Path hadoopPath(Path path) {
    return new org.apache.hadoop.fs.Path(path.toUri());
  }
}
