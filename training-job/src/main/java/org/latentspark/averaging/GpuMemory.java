package org.latentspark.averaging;

import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** What NVIDIA's driver tells about the memory of GPUs. */
final class GpuMemory {
  private GpuMemory() {}

  /** Returns the bytes of a GPU that nothing holds; all there can be where the driver is silent. */
  static long free(int index) {
    try {
      Process asked =
          new ProcessBuilder(
                  "nvidia-smi",
                  "--id=" + index,
                  "--query-gpu=memory.free",
                  "--format=csv,noheader,nounits")
              .start();
      String answer =
          new String(asked.getInputStream().readAllBytes(), StandardCharsets.UTF_8).trim();
      return answer.matches("\\d+") ? Long.parseLong(answer) << 20 : Long.MAX_VALUE;
    } catch (IOException e) {
      return Long.MAX_VALUE;
    }
  }
}
