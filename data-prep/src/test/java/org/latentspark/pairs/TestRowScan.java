package org.latentspark.pairs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.latentspark.latents.Scores;

class TestRowScan {
  @TempDir Path folder;

  @Test
  void csvKeepsQuotesSeparatorsAndLineBreaksInValues() throws Exception {
    List<Row> rows =
        scan(
            "a.csv",
            """
            URL,TEXT,WIDTH,similarity,punsafe,aesthetic
            http://a/1,"He said ""two, or three"",
            and left",64,0.25,,5
            # no comment,  blanks  ,NaN,none,1e-1,
            """);
    assertThat(rows).extracting(row -> row.getAs("reason")).containsOnlyNulls();
    assertThat(PairRecord.ofRow(rows.get(0)))
        .isEqualTo(
            pair(
                "http://a/1",
                "He said \"two, or three\",\nand left",
                64,
                new Scores(0.25, null, null, 5.0)));
    assertThat(PairRecord.ofRow(rows.get(1)))
        .isEqualTo(pair("# no comment", "  blanks  ", null, new Scores(null, 0.1, null, null)));
  }

  @Test
  void aMalformedCsvLineCostsItselfAlone() throws Exception {
    List<Row> rows =
        scan(
            "a.csv",
            "url,caption\nhttp://a/1,one\nhttp://a/2\nhttp://a/3,three,3\n" + "http://a/4,four\n");
    assertThat(rows)
        .extracting(row -> row.getAs("reason"))
        .containsExactly(null, "bad-row", "bad-row", null);
    assertThat(rows.get(1).<String>getAs("detail")).isEqualTo("1 values, the header has 2");
    assertThat(rows.get(3).<String>getAs("caption")).isEqualTo("four");
  }

  @Test
  void aCsvWithoutColumnsForPairsIsUnreadable() throws Exception {
    assertThat(reasons(scan("a.csv", "link,caption\nx,y\n"))).containsExactly("unreadable-source");
    assertThat(reasons(scan("b.csv", ""))).containsExactly("unreadable-source");
  }

  @Test
  void readsTabsAndCompressedTables() throws Exception {
    assertThat(scan("a.tsv", "url\tcaption\nhttp://a/1\tone, two\n"))
        .extracting(row -> row.getAs("caption"))
        .containsExactly("one, two");
    Path file = folder.resolve("a.jsonl.gz");
    try (GZIPOutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
      for (int i = 0; i < 5000; i++) {
        out.write(
            "{\"url\": \"http://a/%d\", \"caption\": \"%d\"}\n"
                .formatted(i, i * 7919)
                .getBytes(StandardCharsets.UTF_8));
      }
    }
    assertThat(scan(file)).hasSize(5000);

    byte[] whole = Files.readAllBytes(file);
    Files.write(file, java.util.Arrays.copyOf(whole, whole.length / 2));
    List<Row> rows = scan(file);
    assertThat(rows).hasSizeBetween(1000, 4000);
    assertThat(reasons(rows.subList(0, rows.size() - 1))).containsOnlyNulls();
    assertThat(rows.get(rows.size() - 1).<String>getAs("reason")).isEqualTo("unreadable-source");
  }

  @Test
  void jsonLinesTakeAnyNumericTypeAndNull() throws Exception {
    List<Row> rows =
        scan(
            "a.jsonl",
            "\ufeff{\"Url\": \"http://a/1\", \"TEXT\": \"a \\u00fc\\n\", \"width\": 64.0,"
                + " \"similarity\": NaN, \"punsafe\": null, \"pwatermark\": \"0.5\","
                + " \"aesthetic\": 5, \"all_captions\": [1, 2]}\n\n"
                + "{\"url\": \"http://a/2\", \n"
                + "[1]\n"
                + "{\"url\": \"http://a/3\", \"caption\": \""
                + "x".repeat(2 << 20)
                + "\"}\n"
                + "{\"url\": \"http://a/4\", \"caption\": \"four\"}");
    assertThat(reasons(rows)).containsExactly(null, "bad-row", "bad-row", "bad-row", null);
    assertThat(PairRecord.ofRow(rows.get(0)))
        .isEqualTo(pair("http://a/1", "a \u00fc\n", 64, new Scores(null, null, 0.5, 5.0)));
    assertThat(rows.get(4).<String>getAs("caption")).isEqualTo("four");
  }

  @ParameterizedTest
  @ValueSource(strings = {"../x.jpg", "/etc/x.jpg", "a/../../x.jpg", "file:/etc/x", "..\\\\x.jpg"})
  void aFileNameThatLeadsOutOfTheFolderIsRefused(String name) throws Exception {
    List<Row> rows =
        scan(
            "metadata.jsonl",
            "{\"file_name\": \""
                + name
                + "\", \"text\": \"x\"}\n"
                + "{\"file_name\": \"sub/a..b:1.jpg\", \"text\": \"y\"}\n");
    assertThat(reasons(rows)).containsExactly("bad-entry", null);
    assertThat(ImageLocation.parse(rows.get(1).getAs("location")).path())
        .endsWith("/sub/a..b:1.jpg");
  }

  @Test
  void aFolderOfImagesHasItsCaptionsBesideThem() throws Exception {
    Files.write(folder.resolve("a.jpg"), new byte[] {1});
    Files.writeString(folder.resolve("a.txt"), "a caption\n");
    Files.write(folder.resolve("b.PNG"), new byte[] {1});
    Files.writeString(folder.resolve("b.json"), "{\"url\": \"http://a/b\", \"caption\": \"c\\n\"}");
    Files.write(folder.resolve("c.webp"), new byte[] {1});
    Files.write(folder.resolve("d.gif"), new byte[] {1});
    Files.writeString(folder.resolve("d.json"), "{\"url\": ");
    Files.writeString(folder.resolve("README.txt"), "no caption");
    List<Row> rows = scan(new SourceFiles.Unit(SourceFormat.IMAGE, folder.toUri().toString(), 0));
    assertThat(reasons(rows)).containsExactly(null, null, null, "bad-entry");
    assertThat(rows)
        .extracting(row -> row.getAs("caption"))
        .containsExactly("a caption", "c\n", null, null);
    assertThat(rows.get(0).<String>getAs("url")).endsWith("/a.jpg");
    assertThat(rows.get(1).<String>getAs("url")).isEqualTo("http://a/b");
  }

  @Test
  void findsEveryKindOfFileOnceAndNoBystanders() throws Exception {
    for (String name :
        List.of(
            "meta/a.parquet",
            "meta/b.csv",
            "meta/_SUCCESS",
            "meta/.hidden.csv",
            "meta/_temporary/c.csv",
            "tars/00000.tar",
            "tars/00000.parquet",
            "tars/00000_stats.json",
            "files/00000.parquet",
            "files/00000/000000000.jpg",
            "files/00000/000000000.json",
            "plain/metadata.csv",
            "plain/deep/er/x.jpg",
            "notes.md")) {
      Files.createDirectories(folder.resolve(name).getParent());
      Files.write(folder.resolve(name), new byte[3]);
    }
    SourceFiles files =
        SourceFiles.find(List.of(folder.toString(), folder + "/meta/*.csv"), new Configuration());
    assertThat(files.units())
        .extracting(
            unit -> unit.format() + " " + unit.part() + " " + unit.path().replaceAll(".*/", ""))
        .containsExactlyInAnyOrder(
            "PARQUET PAIRS a.parquet",
            "PARQUET FAILURES 00000.parquet",
            "PARQUET FAILURES 00000.parquet",
            "CSV PAIRS b.csv",
            "TAR PAIRS 00000.tar",
            "CSV PAIRS metadata.csv",
            "IMAGE PAIRS 00000");
  }

  private List<Row> scan(String name, String content) throws IOException {
    return scan(Files.writeString(folder.resolve(name), content));
  }

  static List<Row> scan(Path file) throws IOException {
    return scan(
        new SourceFiles.Unit(
            SourceFormat.of(file.getFileName().toString()).orElseThrow(),
            file.toUri().toString(),
            Files.size(file)));
  }

  private static List<Row> scan(SourceFiles.Unit unit) throws IOException {
    List<Row> rows = new ArrayList<>();
    try (RowScan scan = RowScan.open(unit, new Configuration())) {
      scan.forEachRemaining(rows::add);
    }
    return rows;
  }

  static List<String> reasons(List<Row> rows) {
    return rows.stream().map(row -> row.<String>getAs("reason")).toList();
  }

  private static PairRecord pair(String url, String caption, Integer width, Scores scores) {
    return new PairRecord(
        PairRecord.keyOf(url, caption), url, caption, width, null, null, null, scores, null, null);
  }
}
