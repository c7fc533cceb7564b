package org.latentspark.train;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.graph.TinyUNet;

/** Looks at what a process holds while it averages a thousand times. */
@Tag("slow")
class TestMemoryOverRounds {
  private static final long SEED = 20261123;
  private static final double ROOM = 1.03;

  /** As many rounds as even a crowded machine makes while {@link TrainProcess} waits. */
  private static final long STRETCH = 20;

  private static final int TAIL = 8192;
  private static final int LOOKS = 50;

  @TempDir private Path folder;

  /**
   * What a process holds.
   *
   * @param resident mebibytes of memory, the whole Java heap included
   * @param heap bytes of living objects
   */
  private record Held(double resident, long heap, long threads, long files) {}

  @Test
  @Timeout(7200)
  void aThousandRoundsHoldNoMoreThanTheFirstHundreds() throws Exception {
    TinyDataset.write(folder.resolve("dataset"), 40, 4, SEED);
    Files.writeString(folder.resolve("unet.json"), TinyUNet.CONFIG);
    // A heap that is touched whole at the start, and a compiler that is soon done with its work,
    // leave only libtorch's memory to grow.
    List<String> options =
        List.of(
            "-Dspark.master=local[2]",
            "-Xms512m",
            "-Xmx512m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:+AlwaysPreTouch");
    try (TrainProcess run = TrainProcess.start(folder.resolve("process"), options, arguments())) {
      Held early = heldAfter(run, 300);
      Held late = heldAfter(run, 1000);
      TrainProcess.signal("TERM", run.pid());
      assertThat(run.exitCode()).as("exit code; %s", run.log()).isEqualTo(128 + 15);
      assertThat(late.resident())
          .as("resident, %s, %s", early, late)
          .isLessThan(ROOM * early.resident());
      assertThat((double) late.heap())
          .as("heap, %s, %s", early, late)
          .isLessThan(ROOM * early.heap());
      assertThat(late.threads())
          .as("threads, %s, %s", early, late)
          .isLessThanOrEqualTo(early.threads() + 2);
      assertThat(late.files())
          .as("files, %s, %s", early, late)
          .isLessThanOrEqualTo(early.files() + 4);
      System.out.println("After 300 rounds " + early + ", after 1,000 " + late);
    }
  }

  private Held heldAfter(TrainProcess run, long round) throws Exception {
    for (long reached = newestRound(); reached < round; reached = newestRound()) {
      long aim = Math.min(round, reached + STRETCH);
      run.await(aim + " rounds", () -> newestRound() >= aim);
    }
    long heap = livingBytes(run);
    double resident = status(run.pid(), "VmRSS:") / 1024.0;
    long threads = Long.MAX_VALUE;
    long files = Long.MAX_VALUE;
    // A checkpoint that is just being written has files open, too.
    for (int look = 0; look < LOOKS; look++) {
      Thread.sleep(20);
      threads = Math.min(threads, status(run.pid(), "Threads:"));
      try (Stream<Path> open = Files.list(Path.of("/proc", Long.toString(run.pid()), "fd"))) {
        files = Math.min(files, open.count());
      }
    }
    return new Held(resident, heap, threads, files);
  }

  /** Looks at the end of the file alone: it grows, and is looked at often. */
  private long newestRound() {
    try (FileChannel metrics = FileChannel.open(folder.resolve("run/metrics.jsonl"))) {
      ByteBuffer tail = ByteBuffer.allocate(TAIL);
      metrics.read(tail, Math.max(0, metrics.size() - TAIL));
      String[] lines = new String(tail.array(), 0, tail.position(), UTF_8).split("\n");
      return new ObjectMapper().readTree(lines[lines.length - 1]).path("round").asLong();
    } catch (IOException e) {
      return 0; // not there yet, or half a line
    }
  }

  /** Returns what a collection of the whole heap leaves, which is what a histogram counts. */
  private static long livingBytes(TrainProcess run) throws Exception {
    AtomicLong bytes = new AtomicLong();
    // A JVM that is kept from running does not answer in time, and is asked again.
    run.await("histogram of the heap", () -> bytes.updateAndGet(old -> histogram(run.pid())) > 0);
    return bytes.get();
  }

  private static long histogram(long pid) {
    try {
      Process asked =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "jmap").toString(),
                  "-histo:live",
                  Long.toString(pid))
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      String histogram = new String(asked.getInputStream().readAllBytes(), UTF_8);
      return histogram
          .lines()
          .filter(line -> line.startsWith("Total"))
          .mapToLong(line -> Long.parseLong(line.trim().split("\\s+")[2]))
          .findFirst()
          .orElse(0);
    } catch (IOException e) {
      return 0;
    }
  }

  private static long status(long pid, String name) throws IOException {
    return Files.readAllLines(Path.of("/proc", Long.toString(pid), "status")).stream()
        .filter(line -> line.startsWith(name))
        .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
        .findFirst()
        .orElseThrow();
  }

  private List<String> arguments() {
    return List.of(
        "dataset=" + folder.resolve("dataset"),
        "model=" + folder.resolve("unet.json"),
        "output=" + folder.resolve("run"),
        "workers=2",
        "batch-size=1",
        "steps=1000000",
        "precision=fp32",
        "averaging.frequency=1",
        "checkpoint.every-rounds=50",
        "checkpoint.keep=2",
        "validation.every-rounds=100");
  }
}
