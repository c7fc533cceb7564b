package org.latentspark.tensor;

import java.io.IOException;
import java.io.UncheckedIOException;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.openblas.presets.openblas_nolapack;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch_gloo;

/**
 * Loads libtorch once a JVM, safely beside other JVMs that share its cache.
 *
 * <p>libtorch.so links against libtorch_cpu.so, so a process that opens the first while another
 * still unpacks the second dies of SIGBUS. Unpacking every library before any is opened, in the
 * order of their dependencies and under the cache's lock, avoids that and repairs truncated files.
 */
public final class Natives {
  private static final String[] LIBRARIES = {"libc10.so", "libtorch_cpu.so", "libtorch.so"};
  private static boolean loaded;

  private Natives() {}

  /** Loads libtorch and Gloo, and leaves one thread to OpenBLAS, which fights OpenMP otherwise. */
  public static synchronized void load() {
    if (loaded) {
      return;
    }
    try {
      for (String library : LIBRARIES) {
        Loader.cacheResource(
            torch_gloo.class, "/org/bytedeco/pytorch/" + Loader.getPlatform() + "/" + library);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot unpack libtorch into JavaCPP's cache folder", e);
    }
    Loader.load(torch.class);
    Loader.load(torch_gloo.class);
    openblas_nolapack.blas_set_num_threads(1);
    loaded = true;
  }

  /** Sets how many threads one libtorch operation of the calling thread uses. */
  public static void operationThreads(int threads) {
    load();
    torch.set_num_threads(threads);
  }
}
