package org.latentspark.pairs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.InputException;
import org.latentspark.filter.FilterSettings;
import org.latentspark.filter.FilterSettings.NullScores;
import org.latentspark.filter.MetadataFilter;
import org.latentspark.latents.Scores;

@Tag("slow")
class TestMetadataSource {
  private static SparkSession spark;

  @TempDir Path folder;

  @BeforeAll
  static void start() {
    spark =
        SparkSession.builder()
            .master("local[2]")
            .appName("test")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "3")
            .getOrCreate();
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  @Test
  void readsFilesWhoseColumnsAndTypesDiffer() throws Exception {
    write(
        "a.parquet",
        new String[] {"URL", "TEXT", "WIDTH", "HEIGHT", "similarity", "AESTHETIC_SCORE"},
        new DataType[] {
          DataTypes.StringType,
          DataTypes.StringType,
          DataTypes.IntegerType,
          DataTypes.IntegerType,
          DataTypes.FloatType,
          DataTypes.DoubleType
        },
        RowFactory.create("http://a/1", "one", 10, 20, 0.5f, Double.NaN));
    write(
        "b.parquet",
        new String[] {"caption", "height", "width", "url", "punsafe", "PWatermark", "LANGUAGE"},
        new DataType[] {
          DataTypes.StringType,
          DataTypes.DoubleType,
          DataTypes.DoubleType,
          DataTypes.StringType,
          DataTypes.DoubleType,
          DataTypes.StringType,
          DataTypes.StringType
        },
        RowFactory.create("two", Double.NaN, -3.0, "http://a/2", 0.25, "0.75", "de"));

    assertThat(pairs(MetadataSource.open(spark, List.of(folder + "/*.parquet"))))
        .containsExactlyInAnyOrder(
            new PairRecord(
                PairRecord.keyOf("http://a/1", "one"),
                "http://a/1",
                "one",
                10,
                20,
                null,
                null,
                new Scores(0.5, null, null, null),
                null,
                null),
            new PairRecord(
                PairRecord.keyOf("http://a/2", "two"),
                "http://a/2",
                "two",
                null,
                null,
                "de",
                null,
                new Scores(null, 0.25, 0.75, null),
                null,
                null));
  }

  @Test
  void theKeyIsTheSameInSparkAndInJava() throws Exception {
    writePairs(
        "a.parquet",
        List.of(row("http://a/\u00e4", "\u00fcml\u00e4ut \ud83d\udc26"), row(null, null)));
    for (PairRecord pair : pairs(MetadataSource.open(spark, List.of(folder + "/*")))) {
      assertThat(pair.key()).isEqualTo(PairRecord.keyOf(pair.url(), pair.caption())).hasSize(32);
    }
  }

  @Test
  void aDamagedFileCostsItselfAlone() throws Exception {
    writePairs("a.parquet", List.of(row("http://a/1", "one")));
    Path part = folder.resolve("part.parquet");
    Files.write(part, java.util.Arrays.copyOf(firstFile("a.parquet"), 300));
    Files.writeString(folder.resolve("text.parquet"), "no parquet");
    MetadataSource source =
        MetadataSource.open(spark, List.of(folder + "/a.parquet", folder + "/*t.parquet"));
    assertThat(source.count()).isEqualTo(3);
    assertThat(source.rows().filter("reason is null").collectAsList()).hasSize(1);
    assertThat(source.rows().filter("reason = 'unreadable-source'").collectAsList())
        .extracting(row -> row.<String>getAs("url").replaceAll(".*/", ""))
        .containsExactlyInAnyOrder("part.parquet", "text.parquet");
    assertThatThrownBy(() -> MetadataSource.open(spark, List.of(folder + "/*t.parquet")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("unreadable: [")
        .hasMessageContaining("part.parquet")
        .hasMessageContaining("text.parquet");
  }

  @Test
  void refusesASourceWithoutPairs() throws Exception {
    assertThatThrownBy(() -> MetadataSource.open(spark, List.of(folder + "/*.parquet")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("no file matches");
    write(
        "a.parquet",
        new String[] {"link", "TEXT"},
        new DataType[] {DataTypes.StringType, DataTypes.StringType},
        RowFactory.create("http://a/1", "one"));
    assertThatThrownBy(() -> MetadataSource.open(spark, List.of(folder + "/a.parquet")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("no URL column")
        .hasMessageContaining("[link, TEXT]");
  }

  @Test
  void limitAndSubsetDoNotDependOnTheOrderOfRows() throws Exception {
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      rows.add(row("http://a/dir/" + i + ".jpg", "caption " + i));
    }
    writePairs("a.parquet", rows);
    Collections.reverse(rows);
    writePairs("b.parquet", rows);
    MetadataSource forward = MetadataSource.open(spark, List.of(folder + "/a.parquet"));
    MetadataSource backward = MetadataSource.open(spark, List.of(folder + "/b.parquet"));
    assertThat(pairs(forward.first(7)))
        .hasSize(7)
        .containsExactlyInAnyOrderElementsOf(pairs(backward.first(7)));
    assertThat(pairs(forward.only(Set.of("3.jpg", "http://a/dir/5.jpg", "unknown"))))
        .extracting(PairRecord::caption)
        .containsExactlyInAnyOrder("caption 3", "caption 5");
  }

  @Test
  void ofPairsWithOneUrlTheLeastKeyThatPassesStays() throws Exception {
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      rows.add(row("http://a/same", i < 10 ? "caption " + i : " "));
    }
    rows.add(row("http://a/other", "caption"));
    rows.add(row(null, "caption"));
    rows.add(row(null, "another"));
    String least =
        rows.stream()
            .limit(10)
            .map(row -> PairRecord.keyOf(row.getString(0), row.getString(1)))
            .sorted()
            .findFirst()
            .get();
    for (int order = 0; order < 3; order++) {
      Collections.shuffle(rows, new java.util.Random(order));
      writePairs("order-" + order, rows);
      MetadataSource source = MetadataSource.open(spark, List.of(folder + "/order-" + order));
      Dataset<Row> marked =
          MetadataFilter.mark(
              source.rows(),
              new FilterSettings(
                  1,
                  100,
                  Set.of(),
                  Set.of(),
                  1,
                  null,
                  null,
                  null,
                  null,
                  null,
                  null,
                  NullScores.PASS));
      assertThat(marked.filter("reason is null and url = 'http://a/same'").collectAsList())
          .extracting(row -> row.getString(0))
          .containsExactly(least);
      assertThat(marked.filter("reason = 'duplicate-url'").count()).isEqualTo(9);
      assertThat(marked.filter("reason = 'empty-caption'").count()).isEqualTo(10);
      assertThat(marked.filter("reason = 'missing-url'").count()).isEqualTo(2);
      assertThat(marked.filter("reason is null").count()).isEqualTo(2);
    }
  }

  private static Row row(String url, String caption) {
    return RowFactory.create(url, caption);
  }

  private void writePairs(String name, List<Row> rows) {
    write(
        name,
        new String[] {"url", "caption"},
        new DataType[] {DataTypes.StringType, DataTypes.StringType},
        rows.toArray(new Row[0]));
  }

  private void write(String name, String[] names, DataType[] types, Row... rows) {
    StructType schema = new StructType();
    for (int i = 0; i < names.length; i++) {
      schema = schema.add(names[i], types[i]);
    }
    spark
        .createDataFrame(List.of(rows), schema)
        .repartition(2)
        .write()
        .parquet(folder.resolve(name).toUri().toString());
  }

  private byte[] firstFile(String name) throws Exception {
    try (var files = Files.list(folder.resolve(name))) {
      return Files.readAllBytes(
          files.filter(file -> file.toString().endsWith(".parquet")).findFirst().get());
    }
  }

  private static List<PairRecord> pairs(MetadataSource source) {
    return source.rows().collectAsList().stream().map(PairRecord::ofRow).toList();
  }
}
