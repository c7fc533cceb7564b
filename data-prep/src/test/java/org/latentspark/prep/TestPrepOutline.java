package org.latentspark.prep;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.Launcher;

class TestPrepOutline {
  @TempDir private Path folder;

  @BeforeEach
  void refuseSpark() {
    System.setProperty("spark.master", "there is none");
  }

  @AfterEach
  void allowSpark() {
    System.clearProperty("spark.master");
  }

  @Test
  void tellsSourceAndSizesWithoutSpark() {
    assertThat(dryRun(0, "limit=100", "image.size=64", "files.target-bytes=1 MiB"))
        .containsPattern("source +1 of parquet, \\d")
        .containsPattern("output +\\S+/encoded, a new data set")
        .contains("64 x 64 pixels to latents of 8 x 8 x 8")
        .contains("32 tokens to vectors of 128")
        .contains("at most 100")
        .containsPattern("time +not known");
    assertThat(folder.resolve("encoded")).doesNotExist();
    assertThat(dryRun(0, "image.buckets=aspect", "image.bucket-step=8", "image.size=64"))
        .containsPattern("64 x 64 pixels and \\d+ further shapes")
        .contains("not counted");
  }

  @Test
  void refusesWhatTheRunWouldRefuse() throws Exception {
    dryRun(2, "image.size=big");
    dryRun(3, "image.size=65");
    dryRun(3, "source=" + folder.resolve("nowhere"));
    dryRun(3, "encoders=" + folder.resolve("nowhere"));
  }

  private String dryRun(int code, String... arguments) {
    PrintStream before = System.out;
    ByteArrayOutputStream told = new ByteArrayOutputStream();
    System.setOut(new PrintStream(told, true, StandardCharsets.UTF_8));
    try {
      List<String> all =
          new ArrayList<>(
              List.of(
                  "--dry-run",
                  "source=" + Path.of("sample", "metadata.parquet"),
                  "encoders=" + Path.of("..", "encoders"),
                  "output=" + folder.resolve("encoded")));
      all.addAll(Arrays.asList(arguments));
      assertThat(Launcher.run(new PrepJob(), all.toArray(String[]::new))).isEqualTo(code);
    } finally {
      System.setOut(before);
    }
    assertThat(Files.exists(folder.resolve("encoded"))).isFalse();
    return told.toString(StandardCharsets.UTF_8);
  }
}
