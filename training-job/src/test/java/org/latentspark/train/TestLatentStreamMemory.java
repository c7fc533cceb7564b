package org.latentspark.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.LatentShape;
import org.latentspark.latents.Split;
import org.latentspark.tensor.Natives;

/** Streams an epoch of a share that is twelve times its buffer, and measures the process. */
@Tag("slow")
@Timeout(600)
class TestLatentStreamMemory {
  /** Of 64 KiB each, in files of 4 MiB: 192 MiB. */
  private static final int ROWS = 3072;

  private static final int FILES = 48;
  private static final long BUFFER_MIB = 16;
  private static final long HEAP_MIB = 64;

  @TempDir private Path folder;

  @Test
  void aShareLargerThanTheBufferTakesTheBufferAndTheHeapThatReadsIt() throws Exception {
    TinyDataset.write(folder.resolve("data"), new LatentShape(4, 64, 64), 5, ROWS, 0, 3, FILES);
    Path log = folder.resolve("log");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.add("-Xmx" + HEAP_MIB + "m");
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(Epoch.class.getName(), folder.resolve("data").toString()));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    // Each arena of glibc keeps what was freed in it.
    builder.environment().put("MALLOC_ARENA_MAX", "2");
    Process process = builder.redirectOutput(log.toFile()).start();
    try {
      assertThat(process.waitFor(8, TimeUnit.MINUTES)).as("the epoch ends").isTrue();
    } finally {
      process.destroyForcibly();
    }
    String text = Files.readString(log);
    assertThat(process.exitValue()).as(text).isZero();
    long grown = Long.parseLong(text.replaceAll("(?s).*grown by (\\d+) MiB.*", "$1"));
    System.out.printf("A stream with a buffer of %d MiB took %d MiB%n", BUFFER_MIB, grown);
    assertThat(grown).as(text).isLessThan(BUFFER_MIB + HEAP_MIB + 48);
  }

  /** Goes through one epoch of the data set in a folder. */
  static final class Epoch {
    private Epoch() {}

    public static void main(String[] arguments) throws IOException {
      Natives.load();
      LatentDataset dataset =
          LatentDataset.open(
              new org.apache.hadoop.fs.Path(Path.of(arguments[0]).toUri()), new Configuration());
      long before = mebibytes("VmRSS:");
      try (LatentStream stream =
          LatentStream.open(
              dataset, Split.TRAIN, 0, 1, 3, new LatentStream.Limits(BUFFER_MIB << 20, 0))) {
        for (long at = 0; at < stream.count(); at += 8) {
          try (PointerScope scope = new PointerScope()) {
            stream.batch(at, 8);
          }
        }
      }
      System.out.printf("grown by %d MiB%n", mebibytes("VmHWM:") - before);
    }

    private static long mebibytes(String name) throws IOException {
      return Files.readAllLines(Path.of("/proc/self/status")).stream()
          .filter(line -> line.startsWith(name))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) >> 10)
          .sum();
    }
  }
}
