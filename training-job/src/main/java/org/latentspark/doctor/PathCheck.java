package org.latentspark.doctor;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FsStatus;
import org.apache.hadoop.fs.Path;
import org.latentspark.tensor.FileSystems;

/**
 * Checks that a directory can be written and read, that its clock is that of this machine, and,
 * where the store tells, that there is room.
 */
final class PathCheck {
  private static final byte[] CONTENT = {1, 2, 3};
  private static final double GIBIBYTE = 1L << 30;
  private static final String KEYS =
      "Check the address, and for an object store the keys fs.s3a.endpoint, its region and"
          + " credentials (--conf spark.hadoop.fs.s3a...)";

  private PathCheck() {}

  static List<Finding> run(String name, Configuration hadoop, DoctorSettings settings) {
    Finding written = write(name, hadoop, settings.clockSkew());
    return written.sound()
        ? List.of(written, space(name, hadoop, settings.freeDisk()))
        : List.of(written);
  }

  private static Finding write(String name, Configuration hadoop, Duration skew) {
    Path file = new Path(name, ".latentspark-doctor-" + UUID.randomUUID());
    try {
      FileSystem fileSystem = FileSystems.of(file, hadoop);
      try {
        return write(name, fileSystem, file, skew);
      } finally {
        fileSystem.delete(file, false);
      }
    } catch (FileNotFoundException e) {
      return Finding.faulty(name, "is not there (" + firstLine(e) + ")", "Make it; " + KEYS);
    } catch (IOException | RuntimeException e) {
      return Finding.faulty(name, "cannot be used (" + firstLine(e) + ")", KEYS);
    }
  }

  private static Finding write(String name, FileSystem fileSystem, Path file, Duration skew)
      throws IOException {
    long before = System.currentTimeMillis();
    try (OutputStream out = fileSystem.create(file, false)) {
      out.write(CONTENT);
    }
    byte[] read;
    try (InputStream in = fileSystem.open(file)) {
      read = in.readAllBytes();
    }
    if (!Arrays.equals(read, CONTENT)) {
      return Finding.faulty(
          name, "gives back other bytes than were written", "Do not use this store");
    }
    long written = fileSystem.getFileStatus(file).getModificationTime();
    long after = System.currentTimeMillis();
    long off = Math.max(0, Math.max(before - written, written - after));
    return Finding.of(
        off <= skew.toMillis(),
        name,
        "can be written and read; its clock is off by " + Duration.ofMillis(off).toSeconds() + " s",
        "clock-skew allows "
            + skew.toSeconds()
            + " s: S3 refuses requests from a wrong clock;"
            + " set up NTP on this machine or there");
  }

  /** Tells what a directory holds, and what its store has left where that has an end. */
  private static Finding space(String name, Configuration hadoop, long wanted) {
    try {
      Path path = new Path(name);
      FileSystem fileSystem = FileSystems.of(path, hadoop);
      FsStatus store = fileSystem.getStatus(path);
      boolean endless = store.getCapacity() == Long.MAX_VALUE;
      String used =
          String.format(
              Locale.ROOT,
              "holds %.2f GiB",
              fileSystem.getContentSummary(path).getLength() / GIBIBYTE);
      return Finding.of(
          endless || store.getRemaining() >= wanted,
          name,
          endless
              ? used
              : String.format(
                  Locale.ROOT, "%s, %.1f GiB are left", used, store.getRemaining() / GIBIBYTE),
          String.format(
              Locale.ROOT,
              "free-disk asks for %.1f GiB: make room (docs/retraining.md tells what may go)",
              wanted / GIBIBYTE));
    } catch (IOException | RuntimeException e) {
      return Finding.faulty(name, "cannot be listed (" + firstLine(e) + ")", KEYS);
    }
  }

  private static String firstLine(Exception failure) {
    return String.valueOf(failure.getMessage()).lines().findFirst().orElse("");
  }
}
