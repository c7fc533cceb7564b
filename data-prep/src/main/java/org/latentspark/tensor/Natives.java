package org.latentspark.tensor;

import java.io.IOException;
import java.io.UncheckedIOException;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.openblas.presets.openblas_nolapack;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch_gloo;
import org.latentspark.cli.UsageException;

/**
 * Loads libtorch once a JVM, safely beside other JVMs that share its cache.
 *
 * <p>libtorch.so links against libtorch_cpu.so, so a process that opens the first while another
 * still unpacks the second dies of SIGBUS. Unpacking every library before any is opened, in the
 * order of their dependencies and under the cache's lock, avoids that and repairs truncated files.
 */
public final class Natives {
  private static final String[] LIBRARIES = {
    "libc10.so",
    "libc10_cuda.so",
    "libtorch_cpu.so",
    "libtorch_cuda.so",
    "libtorch_cuda_linalg.so",
    "libtorch.so"
  };

  /** The folders of the CUDA build and of the CPU build; a jar has one of them. */
  private static final String[] BUILDS = {"-gpu", ""};

  private static boolean loaded;

  private Natives() {}

  /** Loads libtorch and Gloo, and leaves one thread to OpenBLAS, which fights OpenMP otherwise. */
  public static synchronized void load() {
    if (loaded) {
      return;
    }
    try {
      for (String build : BUILDS) {
        for (String library : LIBRARIES) {
          String name = "/org/bytedeco/pytorch/" + Loader.getPlatform() + build + "/" + library;
          if (torch_gloo.class.getResource(name) != null) {
            Loader.cacheResource(torch_gloo.class, name);
          }
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot unpack libtorch into JavaCPP's cache folder", e);
    }
    try {
      Loader.load(torch.class);
      Loader.load(torch_gloo.class);
    } catch (UnsatisfiedLinkError e) {
      throw new UsageException(
          "libtorch cannot be loaded ("
              + e.getMessage()
              + "): jars built with mvn -Pgpu package need CUDA 13, cuDNN 9 and NCCL where the"
              + " machine looks for libraries, such as by LD_LIBRARY_PATH",
          e);
    }
    openblas_nolapack.blas_set_num_threads(1);
    loaded = true;
  }

  /** Sets how many threads one libtorch operation of the calling thread uses. */
  public static void operationThreads(int threads) {
    load();
    torch.set_num_threads(threads);
  }
}
