package org.latentspark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

class TestProgress {
  private final List<String> lines = new CopyOnWriteArrayList<>();

  @Test
  void tellsDoneTotalRateAndNoteOnTheLastLine() {
    try (Progress progress = start(40, Duration.ofHours(1))) {
      progress.advance(10);
      progress.at(30);
      progress.note("loss 0.25");
    }
    assertThat(lines.get(lines.size() - 1))
        .startsWith("encode")
        .contains("75%", "30/40 pairs", "/s", "loss 0.25");
  }

  @Test
  void drawsNoMoreOftenThanAsked() {
    try (Progress progress = start(1000, Duration.ofHours(1))) {
      for (int i = 0; i < 1000; i++) {
        progress.advance(1);
      }
    }
    assertThat(lines).hasSizeBetween(1, 2);
  }

  @Test
  void countsWithoutAKnownTotal() {
    try (Progress progress = start(-1, Duration.ofHours(1))) {
      progress.advance(12);
    }
    assertThat(lines.get(lines.size() - 1)).contains("12/? pairs");
  }

  private Progress start(long total, Duration every) {
    return Progress.start("encode", "pairs", total, lines::add, every);
  }
}
