package org.latentspark.averaging;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.Settings;

class TestLargeBench {
  private final LargeBench benchmark = new LargeBench();

  @TempDir private Path folder;

  @Test
  void defaultsArePinned() {
    Map<String, Object> expected = new TreeMap<>();
    expected.put("channels", List.of(320, 640, 1280, 1280));
    expected.put("batch-size", 1);
    expected.put("latents", 8);
    expected.put("vector-folder", "");
    assertThat(Settings.defaults(benchmark.references())).isEqualTo(expected);
    Settings settings = Settings.load(benchmark.references(), null, List.of());
    LargeBench.Plan plan = settings.read(benchmark::configure);
    assertThat(settings.unread()).isEmpty();
    assertThat(plan.channels()).isEqualTo("[320, 640, 1280, 1280]");
  }

  @Test
  @Tag("slow")
  void aSmallModelMakesItsRoundAndLeavesNoFiles() throws Exception {
    System.setProperty("spark.ui.enabled", "false");
    PrintStream out = System.out;
    ByteArrayOutputStream told = new ByteArrayOutputStream();
    System.setOut(new PrintStream(told, true, StandardCharsets.UTF_8));
    try {
      benchmark.run(new LargeBench.Plan("[32, 32, 64, 64]", 1, 8, folder.toString()));
    } finally {
      System.setOut(out);
      System.clearProperty("spark.ui.enabled");
    }
    assertThat(told.toString(StandardCharsets.UTF_8))
        .contains("A round after ")
        .containsPattern("bench=large ratio=0\\.\\d+ budget=1");
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void memoryOfThisProcessIsSeen() throws Exception {
    try (ProcessMemory memory = ProcessMemory.watch()) {
      long end = System.nanoTime() + 60_000_000_000L;
      while (memory.fileGibibytes() == 0 && System.nanoTime() < end) {
        Thread.sleep(10);
      }
      assertThat(memory.ownGibibytes()).isBetween(0.01, 1024.0);
      assertThat(memory.fileGibibytes()).isBetween(0.001, 1024.0);
    }
  }
}
