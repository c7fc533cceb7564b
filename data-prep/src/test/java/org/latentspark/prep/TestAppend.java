package org.latentspark.prep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.InputException;
import org.latentspark.cli.UsageException;
import org.latentspark.image.Images;
import org.latentspark.latents.EncodedPair;
import org.latentspark.latents.Fp16;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.Manifest;

@Tag("slow")
@Timeout(900)
class TestAppend {
  private static final int OLD = 12;
  private static final int NEW = 6;

  @TempDir static Path shared;
  private static SparkSession spark;
  private static PrepWorld world;
  private static Path source;

  @TempDir Path folder;

  @BeforeAll
  static void start() throws Exception {
    spark =
        SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "2")
            .getOrCreate();
    world = new PrepWorld(shared);
    Metadata rows = new Metadata();
    IntStream.range(0, OLD).forEach(number -> world.picture(rows, number));
    rows.with(world.server().url("/missing"), "not there");
    source = rows.write(spark, shared.resolve("source"));
  }

  @AfterAll
  static void stop() throws Exception {
    world.close();
    spark.stop();
  }

  /** What the source has become: all of before, new pairs, and three that repeat old ones. */
  private Path grown() throws Exception {
    Metadata rows = new Metadata();
    IntStream.range(OLD, OLD + NEW).forEach(number -> world.picture(rows, number));
    rows.with(world.server().url("/picture/3.jpg"), "another caption");
    world.server().with("/copy.jpg", Images.jpeg(45, 48, 5));
    rows.with(world.server().url("/copy.jpg"), "the same picture at another address");
    rows.with(world.server().url("/picture/4.jpg"), "a red apple number 4");
    Path added = rows.write(spark, folder.resolve("added"));
    Path grown = Files.createDirectory(folder.resolve("grown"));
    for (Path part : List.of(source, added)) {
      try (var files = Files.list(part)) {
        for (Path file : files.filter(path -> path.toString().endsWith(".parquet")).toList()) {
          Files.copy(file, grown.resolve(part.getFileName() + "-" + file.getFileName()));
        }
      }
    }
    return grown;
  }

  @Test
  void encodesOnlyWhatIsNewAndLeavesTheOldVersionAsItWas() throws Exception {
    Path output = folder.resolve("out");
    Manifest first = PrepJob.run(spark, settings(source, output));
    LatentDataset reader = PrepWorld.open(output);
    List<EncodedPair> before = PrepWorld.pairs(reader);
    List<Integer> asked = IntStream.range(0, OLD).map(world::asked).boxed().toList();

    Path grown = grown();
    Manifest second = PrepJob.run(spark, settings(grown, output, "existing=append"));

    assertThat(second.version()).isEqualTo(2);
    Manifest.Version added = second.versions().get(1);
    assertThat(added.known()).isEqualTo(OLD + 2);
    assertThat(added.accounting())
        .isEqualTo(
            new Manifest.Accounting(
                NEW + 2,
                NEW,
                2,
                new TreeMap<>(Map.of("duplicate-url", 1L, "duplicate-content", 1L))));
    assertThat(second.versions().get(0).accounting()).isEqualTo(first.accounting());
    assertThat(second.accounting()).isEqualTo(first.accounting().plus(added.accounting()));
    assertThat(second.accounting().read())
        .isEqualTo(second.accounting().encoded() + second.accounting().rejected());
    assertThat(IntStream.range(0, OLD).map(world::asked).boxed().toList()).isEqualTo(asked);
    assertThat(second.latent()).usingRecursiveComparison().isEqualTo(first.latent());

    LatentDataset newest = PrepWorld.open(output);
    newest.verify();
    assertThat(PrepWorld.pairs(newest)).hasSize(OLD + NEW);
    assertThat(PrepWorld.pairs(newest).subList(0, OLD))
        .usingRecursiveComparison()
        .isEqualTo(before);
    PrepWorld.requireNothingElse(output, second);

    // Who has read the old manifest, and who asks for it by number, sees what was there.
    assertThat(PrepWorld.pairs(reader)).usingRecursiveComparison().isEqualTo(before);
    LatentDataset old = LatentDataset.open(reader.directory(), 1, new Configuration());
    old.verify();
    assertThat(old.fingerprint()).isEqualTo(reader.fingerprint());
    assertThatThrownBy(() -> LatentDataset.open(reader.directory(), 3, new Configuration()))
        .isInstanceOf(InputException.class)
        .hasMessageEndingWith("has no version 3, its newest is 2");

    Set<String> files = PrepWorld.files(output);
    Manifest third = PrepJob.run(spark, settings(grown, output, "existing=append"));
    assertThat(third.version()).as("nothing new, no new version").isEqualTo(2);
    assertThat(PrepWorld.files(output)).isEqualTo(files);

    Manifest replaced = PrepJob.run(spark, settings(source, output, "existing=replace"));
    assertThat(replaced.version()).isEqualTo(1);
    assertThat(replaced.accounting()).isEqualTo(first.accounting());
    PrepWorld.requireNothingElse(output, replaced);
  }

  @Test
  void whatWasMadeOtherwiseIsRefusedByName() throws Exception {
    Path output = folder.resolve("out");
    PrepJob.run(spark, settings(source, output));
    Set<String> files = PrepWorld.files(output);
    Path others = TinyEncoders.write(folder.resolve("others"), 7);
    assertThatThrownBy(
            () ->
                PrepJob.run(
                    spark,
                    settings(
                        source,
                        output,
                        "existing=append",
                        "encoders=" + others,
                        "image.size=32",
                        "filter.min-side=16",
                        "latents=sample")))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("encoders: sha256 of vae = ")
        .hasMessageContaining("encoders: sha256 of text_encoder = ")
        .hasMessageContaining("image.size = 32: the dataset in")
        .hasMessageContaining("latents = sample: the dataset in")
        .message()
        .doesNotContain("tokenizer")
        .doesNotContain("min-side");
    assertThat(PrepWorld.files(output)).isEqualTo(files);
  }

  @Test
  void aRuleThatIsYoungerThanTheDatasetCountsAsItsDefault() throws Exception {
    Path output = folder.resolve("out");
    PrepJob.run(spark, settings(source, output));
    // As a version wrote it that did not know these keys yet.
    Path manifest = output.resolve(Manifest.FILE_NAME);
    JsonMapper json = new JsonMapper();
    ObjectNode old = (ObjectNode) json.readTree(manifest.toFile());
    ObjectNode rules = (ObjectNode) old.get("settings");
    assertThat(rules.remove("filter.max-aspect-ratio")).isNotNull();
    assertThat(rules.remove("filter.languages")).isNotNull();
    Files.writeString(manifest, json.writeValueAsString(old));

    Path grown = grown();
    assertThatThrownBy(
            () ->
                PrepJob.run(
                    spark, settings(grown, output, "existing=append", "filter.max-aspect-ratio=2")))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("filter.max-aspect-ratio = 2.0: the dataset in")
        .message()
        .doesNotContain("languages");
    Manifest second = PrepJob.run(spark, settings(grown, output, "existing=append"));
    assertThat(second.version()).isEqualTo(2);
    assertThat(second.settings()).containsKeys("filter.max-aspect-ratio", "filter.languages");
    PrepWorld.open(output).verify();
  }

  @Test
  void aSampleOfThePosteriorIsDrawnByTheKeyAlone() throws Exception {
    Path one = folder.resolve("one");
    Path other = folder.resolve("other");
    PrepJob.run(spark, settings(source, one, "latents=sample", "batch-size=1"));
    PrepJob.run(spark, settings(source, other, "latents=sample", "batch-size=1", "partitions=5"));
    LatentDataset dataset = PrepWorld.open(one);
    dataset.verify();
    assertThat(dataset.manifest().latent().kind()).isEqualTo("sample");
    assertThat(PrepWorld.pairs(dataset).get(0).latent()).hasSize(4 * 4 * 4 * 2);
    assertThat(PrepWorld.pairs(PrepWorld.open(other)))
        .usingRecursiveComparison()
        .isEqualTo(PrepWorld.pairs(dataset));
  }

  @Test
  void lowerPrecisionStaysCloseToFp32() throws Exception {
    List<EncodedPair> exact = encoded("fp32");
    for (String precision : List.of("bf16", "fp16")) {
      List<EncodedPair> close = encoded(precision);
      double worst = 0;
      boolean same = true;
      for (int row = 0; row < exact.size(); row++) {
        float[] expected = Fp16.toFloats(exact.get(row).latent());
        float[] actual = Fp16.toFloats(close.get(row).latent());
        for (int value = 0; value < expected.length; value++) {
          worst = Math.max(worst, Math.abs(actual[value] - expected[value]));
          same &= actual[value] == expected[value];
        }
      }
      assertThat(worst).as(precision).isLessThan(0.1);
      assertThat(same).as("%s changes nothing", precision).isFalse();
    }
  }

  private List<EncodedPair> encoded(String precision) throws Exception {
    Path output = folder.resolve(precision);
    PrepJob.run(spark, settings(source, output, "precision=" + precision));
    return PrepWorld.pairs(PrepWorld.open(output));
  }

  private static PrepSettings settings(Path from, Path output, String... overrides) {
    return world.settings(from, output, overrides);
  }
}
