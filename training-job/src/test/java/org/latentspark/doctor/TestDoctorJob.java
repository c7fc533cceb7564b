package org.latentspark.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.Launcher;
import org.latentspark.cli.Settings;

class TestDoctorJob {
  private static final Duration SKEW = Duration.ofSeconds(10);

  @TempDir private Path folder;

  @Test
  void keepsItsDefaults() {
    assertThat(Settings.defaults(new DoctorJob().references()))
        .containsExactlyInAnyOrderEntriesOf(
            Map.of(
                "paths", List.of(),
                "workers", 2,
                "patience", "2m",
                "free-disk", "10 GiB",
                "free-memory", "4 GiB",
                "clock-skew", "10 s"));
  }

  @Test
  void soundMachinePassesAndIsLeftAsItWas() {
    System.setProperty("spark.ui.enabled", "false");
    System.setProperty("spark.master", "local[2]");
    try {
      int code =
          Launcher.run(
              new DoctorJob(),
              new String[] {"paths=" + folder, "free-disk=1 MiB", "free-memory=1 MiB"});
      assertThat(code).as("exit code").isZero();
    } finally {
      System.clearProperty("spark.ui.enabled");
      System.clearProperty("spark.master");
    }
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void whatIsMissingIsToldWithItsRemedy() {
    DoctorSettings greedy =
        new DoctorSettings(
            new ArrayList<>(List.of("s3b://bucket")),
            3,
            Duration.ZERO,
            Long.MAX_VALUE,
            Long.MAX_VALUE,
            SKEW);
    SparkConf conf =
        new SparkConf().setMaster("local[2]").setAppName("doctor").set("spark.ui.enabled", "false");
    List<Finding> faults;
    try (SparkSession spark = SparkSession.builder().config(conf).getOrCreate()) {
      faults =
          DoctorJob.findings(spark, greedy).stream().filter(finding -> !finding.sound()).toList();
    }
    assertThat(faults).allSatisfy(fault -> assertThat(fault.remedy()).isNotBlank());
    assertThat(faults)
        .extracting(Finding::line)
        .anyMatch(line -> line.contains("2 task slots at once. workers asks for 3"))
        .anyMatch(line -> line.contains("of memory left. free-memory asks for"))
        .anyMatch(line -> line.contains("free-disk asks for"))
        .anyMatch(line -> line.startsWith("FAIL s3b://bucket: cannot be used (No FileSystem"));
  }

  @Test
  void directoryThatCannotBeMadeIsFaulty() throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "no directory");
    Finding finding = PathCheck.run(file.toString(), new Configuration(), modest(1)).get(0);
    assertThat(finding.sound()).isFalse();
    assertThat(finding.line()).startsWith("FAIL " + file);
    assertThat(Files.readString(file)).isEqualTo("no directory");
  }

  @Test
  void whatAPathHoldsAndHasLeftIsTold() throws Exception {
    Files.write(folder.resolve("model"), new byte[11 << 20]);
    List<Finding> room = PathCheck.run(folder.toString(), new Configuration(), modest(1));
    assertThat(room).allMatch(Finding::sound);
    assertThat(room.get(1).line()).contains("holds 0.01 GiB, ").contains(" GiB are left");
    Finding full = PathCheck.run(folder.toString(), new Configuration(), modest(1L << 62)).get(1);
    assertThat(full.sound()).as("%s", full).isFalse();
    assertThat(full.line()).contains("free-disk asks for").contains("make room");
  }

  private static DoctorSettings modest(long freeDisk) {
    return new DoctorSettings(new ArrayList<>(), 1, Duration.ZERO, freeDisk, 1, SKEW);
  }

  @Test
  void storeWithAnotherClockIsFaulty() {
    Configuration hadoop = new Configuration();
    hadoop.set("fs.late.impl", LateFileSystem.class.getName());
    Finding finding = PathCheck.run("late://" + folder, hadoop, modest(1)).get(0);
    assertThat(finding.sound()).as("%s", finding).isFalse();
    assertThat(finding.line()).contains("its clock is off by 3").contains("set up NTP");
  }
}
