package org.latentspark.averaging;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.latentspark.cli.UsageException;

/** Foresees, before a worker allocates anything, whether its vectors will fit. */
public final class WorkerMemory {
  /**
   * Between two steps nothing else lives. Within one there are activations, the gradients on their
   * way into the flat vector, and libtorch's reordered weights; with recomputed activations and
   * small batches those take less than this, which is then left for the JVM.
   */
  private static final int WITHIN_A_STEP = 1;

  /** Values and gradients as DL4J's graph allocates them on the host. */
  private static final int GRAPH_VECTORS = 2;

  private static final double GIBIBYTE = 1L << 30;

  private WorkerMemory() {}

  /** Returns what a worker with so many vectors needs at least. */
  static long need(long parameters, int vectors) {
    return parameters * Float.BYTES * (vectors + WITHIN_A_STEP);
  }

  /** Returns what workers on GPUs need in the memory of their host. */
  static long needBesideGpu(long parameters, int workers) {
    return parameters * Float.BYTES * GRAPH_VECTORS * workers;
  }

  /**
   * Checks that the workers of a host fit.
   *
   * @param vectors vectors of the parameters' length that a worker keeps in memory
   * @param workers workers on this host
   * @param copied vectors besides, of the state that one of them keeps while it trains on
   * @param available bytes that processes of this host can still take
   * @throws UsageException with the need, what there is, and what to change
   */
  static void require(long parameters, int vectors, int workers, int copied, long available) {
    long need = need(parameters, vectors);
    long copies = parameters * Float.BYTES * copied;
    if (need > (available - copies) / workers) {
      throw new UsageException(
          String.format(
              Locale.ROOT,
              "Memory: %,d parameters need at least %.1f GiB a worker (%d vectors of them for"
                  + " values, gradients, averages and moments, and one for activations), and one of"
                  + " them %.1f GiB for the checkpoint that is being written; %.1f GiB are left here"
                  + " for %d worker(s): run fewer workers on a host, choose a smaller model, set"
                  + " checkpoint.writing to blocking, let vectors leave memory"
                  + " (averaging.vector-folder), or leave more memory outside of the Java heap",
              parameters,
              need / GIBIBYTE,
              vectors,
              copies / GIBIBYTE,
              available / GIBIBYTE,
              workers));
    }
  }

  /**
   * Checks that a worker fits into the memory of its GPU.
   *
   * @param vectors vectors of the parameters' length that a worker keeps
   * @param free bytes of the GPU that nothing holds
   * @throws UsageException with the need, what there is, and what to change
   */
  static void requireOnGpu(long parameters, int vectors, long free) {
    long need = need(parameters, vectors);
    if (need > free) {
      throw new UsageException(
          String.format(
              Locale.ROOT,
              "GPU memory: %,d parameters need at least %.1f GiB, and %.1f GiB are free: choose a"
                  + " smaller model, or end what else uses the GPU",
              parameters,
              need / GIBIBYTE,
              free / GIBIBYTE));
    }
  }

  /**
   * Checks that a host whose workers compute on GPUs has room for DL4J's vectors and for the
   * checkpoint that is being written.
   *
   * @throws UsageException with the need, what there is, and what to change
   */
  static void requireBesideGpus(long parameters, int workers, int copied, long available) {
    long need = needBesideGpu(parameters, workers) + parameters * Float.BYTES * copied;
    if (need > available) {
      throw new UsageException(
          String.format(
              Locale.ROOT,
              "Memory: %d worker(s) with %,d parameters on GPUs need %.1f GiB of the host, and %.1f"
                  + " GiB are left: run fewer workers on a host, or set checkpoint.writing to"
                  + " blocking",
              workers,
              parameters,
              need / GIBIBYTE,
              available / GIBIBYTE));
    }
  }

  /** Returns how many bytes this host, or container, has left; all there are where it is silent. */
  public static long available() {
    long host = number(Path.of("/proc/meminfo"), "MemAvailable:", Long.MAX_VALUE >> 10) << 10;
    Path group = Path.of("/sys/fs/cgroup");
    long most = number(group.resolve("memory.max"), "", Long.MAX_VALUE);
    if (most == Long.MAX_VALUE) {
      return host;
    }
    // The page cache counts as used and is given up on demand.
    long used =
        number(group.resolve("memory.current"), "", 0)
            - number(group.resolve("memory.stat"), "inactive_file", 0);
    return Math.min(host, most - used);
  }

  /** Returns the number after {@code label} in a file of the kernel's. */
  private static long number(Path file, String label, long missing) {
    try {
      List<String> lines = Files.readAllLines(file);
      for (String line : lines) {
        String digits = line.replaceAll("[^0-9]", "");
        if (line.startsWith(label) && !digits.isEmpty()) {
          return Long.parseLong(digits);
        }
      }
    } catch (IOException e) {
      return missing;
    }
    return missing;
  }
}
