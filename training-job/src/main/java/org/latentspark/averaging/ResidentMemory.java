package org.latentspark.averaging;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What this process has in memory, as Linux tells it; elsewhere NaN. */
final class ResidentMemory {
  private ResidentMemory() {}

  static double mebibytes() {
    return line("VmRSS:");
  }

  /** Returns the greatest value since the process began. */
  static double peakMebibytes() {
    return line("VmHWM:");
  }

  private static double line(String name) {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
        if (line.startsWith(name)) {
          return Long.parseLong(line.replaceAll("[^0-9]", "")) / 1024.0;
        }
      }
    } catch (IOException e) {
      // Only Linux tells; elsewhere the figure is missing and nothing else suffers.
      return Double.NaN;
    }
    return Double.NaN;
  }
}
