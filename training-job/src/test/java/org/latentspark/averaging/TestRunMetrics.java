package org.latentspark.averaging;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.metrics.sink.CsvSink;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestRunMetrics {
  @TempDir private Path folder;

  @Test
  void sinkShowsTheNewestRound() throws Exception {
    try (JavaSparkContext spark = new JavaSparkContext(withCsvSink())) {
      RunMetrics.here().round(report(1, 0.5));
      RunMetrics.here().round(report(2, 0.25));
    }
    assertThat(values("loss")).containsExactly("0.25");
    assertThat(values("round")).containsExactly("2.0");
    assertThat(values("examplesPerSecond")).containsExactly("100.0");
    assertThat(values("exchangeShare")).containsExactly("0.1");
    assertThat(values("residentMebibytes"))
        .singleElement()
        .satisfies(value -> assertThat(Double.parseDouble(value)).isGreaterThan(50));
  }

  @Test
  void everySessionOfAProcessHasItsOwn() throws Exception {
    for (int session = 1; session <= 2; session++) {
      try (JavaSparkContext spark = new JavaSparkContext(withCsvSink())) {
        RunMetrics.here().round(report(session, session));
      }
    }
    assertThat(values("loss")).containsExactlyInAnyOrder("1.0", "2.0");
  }

  private SparkConf withCsvSink() {
    return new SparkConf()
        .setMaster("local[1]")
        .setAppName("metrics")
        .set("spark.ui.enabled", "false")
        .set("spark.metrics.conf.*.sink.csv.class", CsvSink.class.getName())
        .set("spark.metrics.conf.*.sink.csv.period", "600")
        .set("spark.metrics.conf.*.sink.csv.unit", "seconds")
        .set("spark.metrics.conf.*.sink.csv.directory", folder.toString());
  }

  private static RoundReport report(long round, double loss) {
    return new RoundReport(
        round,
        round * 10,
        round * 80,
        loss,
        1,
        1e-3,
        100,
        0.01,
        0.39,
        0.4,
        0.1,
        0.1,
        500,
        null,
        null);
  }

  /** Returns the last value in each file of a metric. */
  private List<String> values(String metric) throws IOException {
    List<String> values = new ArrayList<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file :
          files
              .filter(path -> path.toString().endsWith(".latentspark." + metric + ".csv"))
              .toList()) {
        List<String> lines = Files.readAllLines(file);
        values.add(lines.get(lines.size() - 1).split(",")[1]);
      }
    }
    return values;
  }
}
