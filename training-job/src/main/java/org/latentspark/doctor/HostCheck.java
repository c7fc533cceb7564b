package org.latentspark.doctor;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.apache.spark.SparkConf;
import org.apache.spark.util.Utils;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.global.torch;
import org.latentspark.averaging.WorkerMemory;
import org.latentspark.tensor.Natives;

/** Checks the machine that it runs on, as driver or as executor. */
final class HostCheck {
  private static final int JAVA = 17;
  private static final double GIBIBYTE = 1L << 30;

  private final DoctorSettings settings;
  private final String where;
  private final List<Finding> findings = new ArrayList<>();

  private HostCheck(DoctorSettings settings, String where) {
    this.settings = settings;
    this.where = where;
  }

  /** Returns what is found here; {@code role} is {@code driver} or {@code executor 3}. */
  static List<Finding> run(DoctorSettings settings, String role, SparkConf conf) {
    HostCheck check = new HostCheck(settings, role + " on " + host());
    check.java();
    check.natives();
    check.memory();
    check.disks(conf);
    return check.findings;
  }

  private void java() {
    findings.add(
        Finding.of(
            Runtime.version().feature() == JAVA,
            where,
            "Java " + Runtime.version(),
            "Set JAVA_HOME to a Java 17 there; Spark 3.5 and this build are tested with no other"));
  }

  private void natives() {
    try (PointerScope scope = new PointerScope()) {
      Natives.load();
      double sum = torch.ones(3).sum().item_double();
      findings.add(
          Finding.of(
              sum == 3,
              where,
              "libtorch computes, with " + torch.get_num_threads() + " threads an operation",
              "libtorch gave " + sum + " for 1 + 1 + 1: remove JavaCPP's cache folder"));
      if (torch.hasCUDA()) {
        findings.add(Finding.sound(where, torch.getNumGPUs() + " GPUs that libtorch can use"));
      }
    } catch (LinkageError | RuntimeException e) {
      findings.add(
          Finding.faulty(
              where,
              "libtorch cannot be loaded (" + e.getMessage() + ")",
              "It needs Linux on x86_64 with glibc 2.27 or newer, and a writable ~/.javacpp"));
    }
  }

  private void memory() {
    long available = WorkerMemory.available();
    findings.add(
        Finding.of(
            available >= settings.freeMemory(),
            where,
            String.format(Locale.ROOT, "%.1f GiB of memory left", available / GIBIBYTE),
            String.format(
                Locale.ROOT,
                "free-memory asks for %.1f GiB: make the Java heaps smaller, or set"
                    + " spark.executor.memoryOverhead higher",
                settings.freeMemory() / GIBIBYTE)));
  }

  private void disks(SparkConf conf) {
    Set<String> folders = new TreeSet<>(List.of(Utils.getConfiguredLocalDirs(conf)));
    String cache = System.getProperty("org.bytedeco.javacpp.cachedir", "");
    folders.add(cache.isEmpty() ? System.getProperty("user.home") : cache);
    for (String folder : folders) {
      disk(Path.of(folder));
    }
  }

  private void disk(Path folder) {
    try {
      long free = Files.getFileStore(folder).getUsableSpace();
      boolean writable = Files.isWritable(folder);
      findings.add(
          Finding.of(
              writable && free >= settings.freeDisk(),
              where,
              String.format(
                  Locale.ROOT,
                  "%.1f GiB free in %s%s",
                  free / GIBIBYTE,
                  folder,
                  writable ? "" : ", which cannot be written"),
              String.format(
                  Locale.ROOT,
                  "free-disk asks for %.1f GiB that can be written: make room, or set"
                      + " spark.local.dir or org.bytedeco.javacpp.cachedir to another disk",
                  settings.freeDisk() / GIBIBYTE)));
    } catch (IOException e) {
      findings.add(
          Finding.faulty(where, folder + " is not there (" + e + ")", "Make that directory"));
    }
  }

  private static String host() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (IOException e) {
      return "unknown host";
    }
  }
}
