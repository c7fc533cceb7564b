package org.latentspark.train;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.averaging.RoundReport;

class TestMetricsLog {
  @TempDir private Path run;

  @Test
  void holdsALineARound() throws Exception {
    write(0, 1, 2, 3);
    assertThat(rounds()).containsExactly(1L, 2L, 3L);
    assertThat(Files.readAllLines(file()).get(1))
        .contains("\"step\":20", "\"loss\":0.5", "\"validationLoss\":0.25");
  }

  @Test
  void roundsThatAFailureCostAreDropped() throws Exception {
    write(0, 1, 2, 3);
    write(2, 3, 4);
    assertThat(rounds()).containsExactly(1L, 2L, 3L, 4L);
  }

  @Tag("chaos")
  @Test
  void halfALineOfAKilledRunIsPassedOver() throws Exception {
    write(0, 1, 2, 3);
    String whole = Files.readString(file());
    for (int length = 0; length < whole.length(); length += 7) {
      Files.writeString(file(), whole.substring(0, length));
      write(3, 4);
      assertThat(rounds()).as("after %s characters", length).isSorted().endsWith(4L);
    }
  }

  private void write(long roundsDone, long... rounds) throws IOException {
    MetricsLog log =
        new MetricsLog(new org.apache.hadoop.fs.Path(run.toUri()), new Configuration(), roundsDone);
    for (long round : rounds) {
      log.add(
          new RoundReport(
              round,
              round * 10,
              round * 80,
              0.5,
              1,
              1e-3,
              100,
              0.01,
              0.39,
              0.4,
              0.1,
              0.1,
              500,
              0.25,
              null));
    }
    log.keep(Long.MAX_VALUE);
  }

  private List<Long> rounds() throws IOException {
    List<Long> rounds = new ArrayList<>();
    for (String line : Files.readAllLines(file())) {
      rounds.add(new ObjectMapper().readTree(line).get("round").asLong());
    }
    return rounds;
  }

  private Path file() {
    return run.resolve("metrics.jsonl");
  }
}
