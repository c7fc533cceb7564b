package org.latentspark.prep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.UsageException;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.Manifest;
import org.latentspark.pairs.PairRecord;

/** Kills runs of prep with -9 at chosen moments and lets the next one go on. */
@Tag("slow")
@Tag("chaos")
@Timeout(3600)
class TestResume {
  private static final int PAIRS = 120;
  private static final int SHARDS = 24;
  private static final Duration PATIENCE = Duration.ofMinutes(15);

  @TempDir static Path shared;
  private static SparkSession spark;
  private static PrepWorld world;
  private static Path source;
  private static LatentDataset undisturbed;

  @TempDir Path folder;

  @BeforeAll
  static void start() throws Exception {
    spark =
        SparkSession.builder()
            .master("local[1]")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "2")
            .getOrCreate();
    world = new PrepWorld(shared);
    Metadata rows = new Metadata();
    IntStream.range(0, PAIRS).forEach(number -> world.picture(rows, number));
    rows.with(world.server().url("/missing"), "not there");
    // The same picture under two addresses, most likely in two shards.
    world.picture(rows, PAIRS);
    rows.with(world.server().url("/picture/%d.jpg".formatted(PAIRS)) + "?again", "again");
    world.server().with("/picture/%d.jpg?again".formatted(PAIRS), picture(PAIRS));
    source = rows.write(spark, shared.resolve("source"));
    Path whole = shared.resolve("whole");
    PrepJob.run(spark, settings(whole));
    undisturbed = PrepWorld.open(whole);
  }

  private static byte[] picture(int number) {
    return org.latentspark.image.Images.jpeg(40 + number % 30, 48, number);
  }

  @AfterAll
  static void stop() throws Exception {
    world.close();
    spark.stop();
  }

  @Test
  void killedThreeTimesItEndsWithTheRowsOfAnUndisturbedRun() throws Exception {
    Path output = folder.resolve("out");
    killOnce(output, "first", () -> Files.exists(output.resolve("_work/plan.json")));
    killOnce(output, "second", () -> journaled(output) >= 3);
    assertThat(output.resolve(Manifest.FILE_NAME)).doesNotExist();
    List<FinishedShard> finished = finished(output);
    assertThat(finished).hasSizeBetween(3, SHARDS - 1);
    Set<Integer> paid = finished.stream().map(FinishedShard::shard).collect(Collectors.toSet());
    List<Integer> before = asked(paid);

    killOnce(output, "third", () -> Files.exists(output.resolve(Manifest.FILE_NAME)));
    assertThat(asked(paid))
        .as("pictures of finished shards are not fetched again")
        .isEqualTo(before);
    assertThat(Files.readString(folder.resolve("third.log")))
        .contains("%d of %d shards are done".formatted(finished.size(), SHARDS));

    // The third run had published; what it left is its leftovers.
    Manifest manifest =
        journaled(output) > 0 || Files.exists(output.resolve("_work/plan.json"))
            ? PrepJob.run(spark, settings(output))
            : PrepWorld.open(output).manifest();
    requireLikeUndisturbed(output, manifest);
  }

  @Test
  void aChangedSettingIsRefusedByNameAndTheWorkStays() throws Exception {
    Path output = folder.resolve("out");
    killOnce(output, "killed", () -> journaled(output) >= 2);
    int done = journaled(output);
    assertThatThrownBy(() -> PrepJob.run(spark, settings(output, "image.size=32", "seed=5")))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("image.size = 32: the unfinished work in")
        .hasMessageContaining("was begun with 16")
        .hasMessageContaining("seed = 5")
        .hasMessageContaining("existing=replace");
    assertThat(journaled(output)).isEqualTo(done);
    requireLikeUndisturbed(output, PrepJob.run(spark, settings(output)));
  }

  @Test
  void toldToEndItLetsTheBatchEndAndTheNextRunGoesOn() throws Exception {
    Path output = folder.resolve("out");
    int exit = endOnce(output, "told", () -> journaled(output) >= 2, Process::destroy);
    // Not that of a crash in native code, whose destructors would have run beside the encoder.
    assertThat(exit).as(Files.readString(folder.resolve("told.log"))).isEqualTo(128 + 15);
    assertThat(output.resolve(Manifest.FILE_NAME)).doesNotExist();
    assertThat(journaled(output)).isBetween(2, SHARDS - 1);
    requireLikeUndisturbed(output, PrepJob.run(spark, settings(output)));
  }

  private static void requireLikeUndisturbed(Path output, Manifest manifest) throws IOException {
    LatentDataset dataset = PrepWorld.open(output);
    dataset.verify();
    assertThat(manifest.accounting()).isEqualTo(undisturbed.manifest().accounting());
    assertThat(manifest.accounting().rejectedByReason())
        .containsEntry("duplicate-content", 1L)
        .containsEntry("not-found", 1L);
    assertThat(PrepWorld.pairs(dataset))
        .usingRecursiveComparison()
        .isEqualTo(PrepWorld.pairs(undisturbed));
    assertThat(PrepWorld.rejected(dataset)).isEqualTo(PrepWorld.rejected(undisturbed));
    PrepWorld.requireNothingElse(output, manifest);
  }

  private static PrepSettings settings(Path output, String... overrides) {
    return world.settings(source, output, arguments(overrides));
  }

  private static String[] arguments(String... overrides) {
    return Stream.concat(Stream.of("partitions=" + SHARDS), Stream.of(overrides))
        .toArray(String[]::new);
  }

  /** Runs prep in a process of its own and kills it as soon as {@code moment} has come. */
  private void killOnce(Path output, String name, BooleanSupplier moment) throws Exception {
    endOnce(output, name, moment, Process::destroyForcibly);
  }

  private int endOnce(Path output, String name, BooleanSupplier moment, Consumer<Process> end)
      throws Exception {
    Process process =
        PrepWorld.start(
            PrepJob.class,
            List.of("-Dspark.master=local[1]", "-Dspark.sql.shuffle.partitions=2"),
            world.arguments(source, output, arguments()),
            folder.resolve(name + ".log"));
    try {
      long deadline = System.nanoTime() + PATIENCE.toNanos();
      while (!moment.getAsBoolean()) {
        assertThat(process.isAlive()).as("%s run is alive before its end", name).isTrue();
        assertThat(System.nanoTime()).as("deadline of the moment to kill").isLessThan(deadline);
        Thread.sleep(1);
      }
      end.accept(process);
      assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).as("its end").isTrue();
      return process.exitValue();
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  private static int journaled(Path output) {
    try (Stream<Path> files = Files.list(output.resolve("_work"))) {
      return (int) files.filter(file -> file.getFileName().toString().startsWith("shard-")).count();
    } catch (IOException e) {
      return 0;
    }
  }

  private static List<FinishedShard> finished(Path output) throws IOException {
    return new Journal(new org.apache.hadoop.fs.Path(output.toUri()), new Configuration())
        .finished();
  }

  /** How often the pictures of some shards were asked for. */
  private static List<Integer> asked(Set<Integer> shards) {
    KeyRanges ranges = new KeyRanges(SHARDS);
    return IntStream.range(0, PAIRS)
        .filter(
            number -> {
              String url = world.server().url("/picture/%d.jpg".formatted(number));
              String key = PairRecord.keyOf(url, "a red apple number " + number);
              return shards.contains(ranges.getPartition(key));
            })
        .map(world::asked)
        .boxed()
        .toList();
  }
}
