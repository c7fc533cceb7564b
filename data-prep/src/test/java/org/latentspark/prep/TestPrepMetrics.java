package org.latentspark.prep;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.SparkEnv;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.latents.Manifest;

/** Reads what a run told Spark's metrics system from the files of Spark's own CSV sink. */
@Tag("slow")
@Timeout(600)
class TestPrepMetrics {
  private static final int PAIRS = 9;

  @TempDir Path folder;

  @Test
  void countsWithoutSpark() {
    SparkEnv environment = SparkEnv.get();
    SparkEnv.set(null);
    try {
      long before = PrepMetrics.ofExecutor().read().getCount();
      PrepMetrics.ofExecutor().read().inc();
      assertThat(PrepMetrics.ofExecutor().read().getCount()).isEqualTo(before + 1);
    } finally {
      SparkEnv.set(environment);
    }
  }

  @Test
  void sinksOfSparkSeeWhatTheExecutorsAndTheRunDo() throws Exception {
    Path sink = Files.createDirectory(folder.resolve("metrics"));
    Manifest manifest;
    try (PrepWorld world = new PrepWorld(folder);
        SparkSession spark =
            SparkSession.builder()
                .master("local[2]")
                .config("spark.ui.enabled", "false")
                .config("spark.sql.shuffle.partitions", "2")
                .config(
                    "spark.metrics.conf.*.sink.csv.class", "org.apache.spark.metrics.sink.CsvSink")
                .config("spark.metrics.conf.*.sink.csv.directory", sink.toString())
                .getOrCreate()) {
      Metadata rows = new Metadata();
      IntStream.range(0, PAIRS).forEach(number -> world.picture(rows, number));
      rows.with(world.server().url("/missing"), "not there");
      rows.with(world.server().url("/picture/1.jpg"), " ");
      Path source = rows.write(spark, folder.resolve("source"));
      manifest = PrepJob.run(spark, world.settings(source, folder.resolve("out"), "partitions=3"));
      // Its end makes the session report to its sinks.
    }
    assertThat(manifest.accounting().encoded()).isEqualTo(PAIRS);
    for (String name : List.of("prep", "prep-run")) {
      assertThat(last(sink, name + ".pairs.read")).as(name).isEqualTo(PAIRS + 2);
      assertThat(last(sink, name + ".pairs.encoded")).as(name).isEqualTo(PAIRS);
      assertThat(last(sink, name + ".pairs.rejected.not-found")).as(name).isEqualTo(1);
      assertThat(last(sink, name + ".pairs.rejected.empty-caption")).as(name).isEqualTo(1);
      assertThat(last(sink, name + ".pairs.rejected.timeout")).as(name).isZero();
      assertThat(last(sink, name + ".image-bytes")).as(name).isPositive();
    }
    assertThat(last(sink, "prep.fetch.in-flight")).isZero();
    assertThat(last(sink, "prep-run.shards")).isEqualTo(3);
  }

  /** The last value in the file of a figure, whose name begins with those of run and process. */
  private static long last(Path sink, String figure) throws IOException {
    try (Stream<Path> files = Files.list(sink)) {
      Path file =
          files
              .filter(path -> path.getFileName().toString().endsWith(".driver." + figure + ".csv"))
              .findFirst()
              .orElseThrow(() -> new AssertionError("no " + figure));
      List<String> lines = Files.readAllLines(file);
      return Long.parseLong(lines.get(lines.size() - 1).split(",")[1]);
    }
  }
}
