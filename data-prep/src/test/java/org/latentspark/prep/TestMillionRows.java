package org.latentspark.prep;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.when;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.image.Images;
import org.latentspark.latents.LatentDataset;

/** A million rows of metadata through the whole of prep, in a heap that could not hold them. */
@Tag("slow")
@Timeout(3600)
class TestMillionRows {
  private static final int ROWS = 1_000_000;
  private static final int EVERY = 1000;
  private static final String HEAP = "-Xmx512m";

  @TempDir Path folder;

  @Test
  void aMillionRowsNeedNoMoreThanASmallHeap() throws Exception {
    try (PrepWorld world = new PrepWorld(folder)) {
      for (int number = 0; number < ROWS / EVERY; number++) {
        world
            .server()
            .with("/%d.jpg".formatted(number * EVERY), Images.jpeg(16, 16 + number % 9, number));
      }
      Path source = metadata(world);
      Path output = folder.resolve("out");
      Process process =
          PrepWorld.start(
              PrepJob.class,
              List.of(HEAP, "-Dspark.master=local[2]", "-Dspark.sql.shuffle.partitions=8"),
              world.arguments(
                  source, output, "partitions=8", "batch-size=64", "filter.max-punsafe=0.5"),
              folder.resolve("log"));
      try {
        assertThat(process.waitFor(50, TimeUnit.MINUTES)).isTrue();
      } finally {
        process.destroyForcibly();
      }
      assertThat(process.exitValue()).as(Files.readString(folder.resolve("log"))).isZero();
      LatentDataset dataset = PrepWorld.open(output);
      dataset.verify();
      assertThat(dataset.manifest().accounting().read()).isEqualTo(ROWS);
      assertThat(dataset.manifest().accounting().rejectedByReason())
          .isEqualTo(new TreeMap<>(Map.of("unsafe", (long) ROWS - ROWS / EVERY)));
    }
  }

  private Path metadata(PrepWorld world) {
    Path source = folder.resolve("source");
    try (SparkSession spark =
        SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", "false")
            .getOrCreate()) {
      spark
          .range(0, ROWS, 1, 8)
          .select(
              concat(lit(world.server().url("/")), col("id"), lit(".jpg")).as("URL"),
              concat(lit("a red apple, a caption of the usual length, number "), col("id"))
                  .as("TEXT"),
              when(col("id").mod(lit(EVERY)).equalTo(lit(0)), lit(0.1))
                  .otherwise(lit(0.9))
                  .as("punsafe"))
          .write()
          .parquet(source.toUri().toString());
    }
    return source;
  }
}
