package org.latentspark.prep;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.Settings;
import org.latentspark.image.Images;
import org.latentspark.latents.EncodedPair;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.Manifest;

/** Runs the job over one set of pairs in each form that a source may have. */
@Tag("slow")
@Timeout(600)
class TestPrepSources {
  private static final Path FIXTURES = Path.of("src", "test", "resources", "img2dataset");
  private static final String URL = "http://127.0.0.1:8917/";

  @TempDir static Path shared;
  private static SparkSession spark;
  private static StaticFileServer server;
  private static Path encoders;
  private static List<EncodedPair> expected;

  @TempDir Path folder;

  @BeforeAll
  static void start() throws Exception {
    spark =
        SparkSession.builder()
            .master("local[2]")
            .appName("test")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "2")
            .getOrCreate();
    server = StaticFileServer.start(FIXTURES.resolve("images"), 0);
    encoders = TinyEncoders.write(shared.resolve("encoders"), 1);
    expected =
        encode(
            FIXTURES.resolve("pairs.parquet"),
            shared.resolve("expected"),
            Map.of("not-an-image", 1L, "not-found", 1L));
    assertThat(expected).hasSize(3);
  }

  @AfterAll
  static void stop() {
    server.close();
    spark.stop();
  }

  @Test
  void theRowsHoldWhatTheMetadataSays() {
    assertThat(expected)
        .extracting(EncodedPair::caption)
        .containsExactlyInAnyOrder(
            "He said \"two, or three\", and left.",
            "first line\nsecond line, with a \u00fc and a \ud83d\udc26",
            " blanks at both ends ");
    assertThat(expected)
        .filteredOn(pair -> pair.url().endsWith("/a.jpg"))
        .allSatisfy(
            pair -> {
              assertThat(pair.scores().similarity()).isEqualTo(0.25);
              assertThat(pair.scores().punsafe()).isEqualTo(0.125);
              assertThat(pair.scores().aesthetic()).isEqualTo(5);
            });
  }

  @Test
  void csvAndJsonLinesGiveTheSameDataset() throws Exception {
    List<Row> rows =
        spark.read().parquet(FIXTURES.resolve("pairs.parquet").toString()).toJavaRDD().collect();
    StringBuilder csv = new StringBuilder("similarity,TEXT,URL,PUNSAFE,Aesthetic_Score\r\n");
    StringBuilder json = new StringBuilder();
    for (Row row : rows) {
      String caption = row.getAs("TEXT");
      csv.append(
          "%s,\"%s\",%s,%s,%s\r\n"
              .formatted(
                  text(row, "similarity"),
                  caption.replace("\"", "\"\""),
                  text(row, "URL"),
                  text(row, "punsafe"),
                  text(row, "AESTHETIC_SCORE")));
      json.append(
          "{\"caption\": \"%s\", \"url\": \"%s\", \"similarity\": \"%s\", \"punsafe\": %s, \"aesthetic\": %s}\n"
              .formatted(
                  caption.replace("\"", "\\\"").replace("\n", "\\n"),
                  text(row, "URL"),
                  text(row, "similarity"),
                  row.getAs("punsafe"),
                  row.getAs("AESTHETIC_SCORE")));
    }
    Map<String, Long> reasons = Map.of("not-an-image", 1L, "not-found", 1L);
    assertSame(Files.writeString(folder.resolve("pairs.csv"), csv), reasons);
    assertSame(Files.writeString(folder.resolve("pairs.jsonl"), json), reasons);
  }

  private static String text(Row row, String column) {
    Object value = row.getAs(column);
    return value == null ? "" : value.toString();
  }

  @Test
  void whatImg2datasetWroteGivesTheSameDataset() throws Exception {
    Map<String, Long> reasons = Map.of("not-an-image", 1L, "missing-image", 1L);
    for (String format : List.of("webdataset", "parquet", "files")) {
      assertSame(FIXTURES.resolve(format), reasons);
    }
    // Without the table beside it, an archive does not know what it has not.
    assertSame(FIXTURES.resolve("webdataset").resolve("*.tar"), Map.of("not-an-image", 1L));
  }

  @Test
  void aFolderOfImagesWithATableGivesTheSameDataset() throws Exception {
    Path images = Files.createDirectories(folder.resolve("pictures").resolve("images"));
    StringBuilder table = new StringBuilder();
    for (EncodedPair pair : expected) {
      String name = pair.url().substring(URL.length());
      Files.copy(FIXTURES.resolve("images").resolve(name), images.resolve(name));
      table.append(
          "{\"file_name\": \"images/%s\", \"text\": \"%s\", \"url\": \"%s\", \"similarity\": %s, \"punsafe\": %s, \"aesthetic\": %s}\n"
              .formatted(
                  name,
                  pair.caption().replace("\"", "\\\"").replace("\n", "\\n"),
                  pair.url(),
                  pair.scores().similarity(),
                  pair.scores().punsafe(),
                  pair.scores().aesthetic()));
    }
    table.append("{\"file_name\": \"images/none.jpg\", \"text\": \"a file that is not there\"}\n");
    Files.writeString(images.resolveSibling("metadata.jsonl"), table, StandardCharsets.UTF_8);
    assertSame(folder.resolve("pictures"), Map.of("not-found", 1L));
  }

  @Test
  void damagedSourcesCostThemselvesAndStandInTheAccounting() throws Exception {
    Path sources = Files.createDirectories(folder.resolve("sources"));
    byte[] tar = Files.readAllBytes(FIXTURES.resolve("webdataset").resolve("00000.tar"));
    Files.write(sources.resolve("cut.tar"), java.util.Arrays.copyOf(tar, tar.length / 3));
    byte[] parquet = Files.readAllBytes(FIXTURES.resolve("parquet").resolve("00000.parquet"));
    Files.write(
        sources.resolve("cut.parquet"), java.util.Arrays.copyOf(parquet, parquet.length / 2));
    Files.writeString(
        sources.resolve("lines.csv"), "url,caption\n" + URL + "a.jpg,one\nonly a url\n");
    Manifest manifest = run(sources, folder.resolve("out"));
    assertThat(manifest.accounting().rejectedByReason())
        .containsEntry("unreadable-source", 2L)
        .containsEntry("bad-row", 1L);
    assertThat(manifest.accounting().encoded()).isPositive();
    assertThat(manifest.accounting().read())
        .isEqualTo(manifest.accounting().encoded() + manifest.accounting().rejected());
  }

  @Test
  void damageInTheMiddleOfAParquetFileCostsItsRowGroup() throws Exception {
    Path sources = Files.createDirectories(folder.resolve("sources"));
    byte[] images = Files.readAllBytes(FIXTURES.resolve("parquet").resolve("00000.parquet"));
    byte[] metadata = Files.readAllBytes(FIXTURES.resolve("pairs.parquet"));
    for (byte[] file : List.of(images, metadata)) {
      // Page headers and pages, before the footer that begins at a third of so small a file.
      java.util.Arrays.fill(file, 4, file.length / 8, (byte) 0x5a);
    }
    Files.write(sources.resolve("images.parquet"), images);
    Files.write(sources.resolve("metadata.parquet"), metadata);
    Files.writeString(sources.resolve("sound.csv"), "url,caption\n" + URL + "a.jpg,one\n");
    Manifest manifest = run(sources, folder.resolve("out"));
    assertThat(manifest.accounting().encoded()).isEqualTo(1);
    assertThat(manifest.accounting().rejectedByReason())
        .isEqualTo(new TreeMap<>(Map.of("unreadable-source", 10L)));
  }

  @Test
  void ofImagesThatLookTheSameTheFirstIsTaken() throws Exception {
    Path pictures = Files.createDirectories(folder.resolve("pictures"));
    Images.Painter scene = (x, y) -> x * y % 256 << 16 | (x * x / 50 & 255) << 8 | y * 2;
    Files.write(pictures.resolve("a.png"), Images.encode(".png", 100, 100, scene));
    Files.write(pictures.resolve("b.jpg"), Images.encode(".jpg", 100, 100, scene));
    Files.write(pictures.resolve("c.webp"), Images.encode(".webp", 100, 100, scene));
    Files.write(pictures.resolve("d.jpg"), Images.jpeg(64, 64, 5));
    for (String name : List.of("a", "b", "c", "d")) {
      Files.writeString(pictures.resolve(name + ".txt"), "picture " + name);
    }
    Path output = folder.resolve("near");
    List<EncodedPair> pairs =
        encode(pictures, output, Map.of("near-duplicate", 2L), "filter.near-duplicate-bits=3");
    assertThat(pairs).hasSize(2).extracting(EncodedPair::perceptualHash).doesNotContainNull();

    // What is added later gives way, whatever its key.
    Files.write(pictures.resolve("e.jpg"), Images.encode(".jpg", 90, 90, scene));
    Files.writeString(pictures.resolve("e.txt"), "picture e");
    Manifest more = run(pictures, output, "filter.near-duplicate-bits=3", "existing=append");
    assertThat(more.accounting().encoded()).isEqualTo(2);
    assertThat(more.accounting().rejectedByReason()).containsEntry("near-duplicate", 3L);
  }

  private void assertSame(Path source, Map<String, Long> reasons) throws Exception {
    String name = source.toString().replaceAll("[^a-z0-9]", "-");
    assertThat(encode(source, folder.resolve(name), reasons))
        .as(source.toString())
        .usingRecursiveComparison()
        .isEqualTo(expected);
  }

  private static List<EncodedPair> encode(
      Path source, Path output, Map<String, Long> reasons, String... overrides) throws Exception {
    Manifest manifest = run(source, output, overrides);
    assertThat(manifest.accounting().rejectedByReason())
        .as(source.toString())
        .isEqualTo(new TreeMap<>(reasons));
    LatentDataset dataset =
        LatentDataset.open(new org.apache.hadoop.fs.Path(output.toUri()), new Configuration());
    List<EncodedPair> pairs = new ArrayList<>();
    dataset.files().forEach(file -> dataset.read(file).forEachRemaining(pairs::add));
    return pairs;
  }

  private static Manifest run(Path source, Path output, String... overrides) throws Exception {
    List<String> items =
        new ArrayList<>(
            List.of(
                "source=" + source,
                "output=" + output,
                "encoders=" + encoders,
                "image.size=16",
                "batch-size=1",
                "partitions=2",
                "fetch.allow-private-addresses=true",
                "fetch.rewrite-from=" + URL,
                "fetch.rewrite-to=" + server.url()));
    items.addAll(List.of(overrides));
    return PrepJob.run(
        spark, Settings.load(PrepSettings.REFERENCES, null, items).read(PrepSettings::read));
  }
}
