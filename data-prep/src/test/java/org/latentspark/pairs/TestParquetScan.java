package org.latentspark.pairs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.latentspark.latents.Scores;

@Tag("chaos")
@Timeout(120)
class TestParquetScan {
  private static final int ROWS = 2000;
  private static final MessageType PAIRS =
      MessageTypeParser.parseMessageType(
          "message pairs { optional binary URL (STRING); optional binary TEXT (STRING);"
              + " optional double similarity; }");

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aDamagedPageCostsRowsOfItsGroupAlone(boolean checksums) throws Exception {
    Path file = pairs(checksums);
    List<BlockMetaData> groups = groups(file);
    assertThat(groups).hasSizeGreaterThan(3);
    assertThat(scan(file)).hasSize(ROWS).allMatch(row -> row.isNullAt(row.fieldIndex("reason")));

    // In the pages of the captions, late in the second group.
    var captions = groups.get(1).getColumns().get(1);
    int from = (int) (captions.getFirstDataPageOffset() + captions.getTotalSize() * 3 / 4);
    damage(file, from, 200);

    List<Row> rows = scan(file);
    assertThat(rows).hasSize(ROWS);
    assertThat(count(file)).isEqualTo(ROWS);
    List<Row> lost = rows.stream().filter(row -> !row.isNullAt(row.fieldIndex("reason"))).toList();
    assertThat(lost.size()).isBetween(1, (int) groups.get(1).getRowCount());
    assertThat(lost)
        .allSatisfy(
            row -> {
              assertThat(row.<String>getAs("reason")).isEqualTo("unreadable-source");
              assertThat(row.<String>getAs("url")).contains("pairs.parquet#row group 1, row ");
            });
    assertThat(rows.stream().map(row -> row.getString(0)).distinct()).hasSize(ROWS);
    assertThat(rows.get(ROWS - 1).<String>getAs("caption")).isEqualTo(caption(ROWS - 1));
    assertThat(scan(file)).as("the same again").isEqualTo(rows);
  }

  @Test
  void survivesRandomDamageWithEveryRowCounted() throws Exception {
    byte[] whole = Files.readAllBytes(pairs(false));
    Random random = new Random(5);
    int lost = 0;
    for (int round = 0; round < 150; round++) {
      byte[] damaged = whole.clone();
      int footer = random.nextInt(4) == 0 ? 0 : 2000;
      for (int flips = 0; flips < 4; flips++) {
        damaged[4 + random.nextInt(whole.length - 4 - footer)] = (byte) random.nextInt();
      }
      Path file = Files.write(folder.resolve("pairs.parquet"), damaged);
      List<Row> rows = scan(file);
      assertThat(rows).as("round %d", round).hasSize((int) count(file));
      lost += rows.stream().filter(row -> !row.isNullAt(row.fieldIndex("reason"))).count();
    }
    assertThat(lost).isPositive();
  }

  @Test
  void ofALargeFileEachPieceHasItsRowGroups() throws Exception {
    Path file = pairs(true);
    List<Row> whole = scan(file);
    List<Row> pieces = new ArrayList<>();
    long length = Files.size(file);
    long count = 0;
    for (long start = 0; start < length; start += 10_000) {
      SourceFiles.Unit unit = unit(file, SourceFiles.Part.PAIRS, start, Math.min(10_000, length));
      pieces.addAll(scan(unit, new Configuration()));
      try (RowScan scan = RowScan.open(unit, new Configuration())) {
        count += scan.count();
      }
    }
    assertThat(pieces).isEqualTo(whole);
    assertThat(count).isEqualTo(ROWS);

    Files.write(file, Arrays.copyOf(Files.readAllBytes(file), (int) length - 20));
    assertThat(scan(unit(file, SourceFiles.Part.PAIRS, 10_000, 10_000), new Configuration()))
        .as("a broken file counts in its first piece")
        .isEmpty();
    assertThat(TestRowScan.reasons(scan(file))).containsExactly("unreadable-source");
  }

  @Test
  void takesAnyNumericTypeAndFilesByName() throws Exception {
    MessageType schema =
        MessageTypeParser.parseMessageType(
            "message pairs { optional binary File_Name (STRING); optional binary caption;"
                + " optional int32 width; optional int64 HEIGHT;"
                + " optional int32 similarity (DECIMAL(5, 2)); optional float punsafe;"
                + " optional fixed_len_byte_array(4) pwatermark (DECIMAL(8, 3));"
                + " optional binary aesthetic (STRING);"
                + " repeated binary language (STRING); optional boolean nsfw; }");
    Path file = folder.resolve("metadata.parquet");
    try (ParquetWriter<Group> writer = writer(file, schema, true)) {
      Group row = new SimpleGroup(schema);
      row.append("File_Name", "sub/a.jpg").append("caption", "one").append("width", 64);
      row.append("HEIGHT", 48L).append("similarity", 25).append("punsafe", 0.5f);
      row.append("pwatermark", Binary.fromConstantByteArray(new byte[] {0, 0, 0, (byte) 125}));
      row.append("aesthetic", "5.5").append("language", "de").append("nsfw", false);
      writer.write(row);
      row = new SimpleGroup(schema);
      writer.write(row.append("File_Name", "../a.jpg").append("punsafe", Float.NaN));
    }
    List<Row> rows = scan(file);
    String image = "file:" + folder.resolve("sub/a.jpg");
    assertThat(PairRecord.ofRow(rows.get(0)))
        .isEqualTo(
            new PairRecord(
                PairRecord.keyOf(image, "one"),
                image,
                "one",
                64,
                48,
                null,
                "false",
                new Scores(new BigDecimal("0.25").doubleValue(), 0.5, 0.125, 5.5),
                ImageLocation.ofFile(image).toString(),
                null));
    assertThat(TestRowScan.reasons(rows)).containsExactly(null, "bad-entry");
  }

  @Test
  void aStorageThatDoesNotAnswerIsNoDamage() throws Exception {
    Path file = pairs(true);
    Configuration configuration = new Configuration();
    configuration.set("fs.file.impl", Outage.class.getName());
    configuration.setBoolean("fs.file.impl.disable.cache", true);
    SourceFiles.Unit unit = unit(file, SourceFiles.Part.PAIRS, 0, Files.size(file));
    assertThat(scan(unit, configuration)).hasSize(ROWS);
    OPENINGS.set(0);
    assertThatThrownBy(() -> scan(unit, configuration))
        .isInstanceOf(StorageException.class)
        .hasMessageContaining("the storage does not answer");
  }

  private static final AtomicInteger OPENINGS = new AtomicInteger(100);

  /** Storage of which only some openings succeed. */
  public static final class Outage extends RawLocalFileSystem {
    @Override
    public FSDataInputStream open(org.apache.hadoop.fs.Path path, int buffer) throws IOException {
      if (OPENINGS.getAndDecrement() <= 0) {
        throw new IOException("no route to the storage");
      }
      return super.open(path, buffer);
    }
  }

  private Path pairs(boolean checksums) throws IOException {
    Path file = folder.resolve("pairs.parquet");
    Random random = new Random(3);
    try (ParquetWriter<Group> writer = writer(file, PAIRS, checksums)) {
      for (int number = 0; number < ROWS; number++) {
        Group row = new SimpleGroup(PAIRS);
        row.append("URL", "http://a/" + number).append("TEXT", caption(number));
        if (random.nextBoolean()) {
          row.append("similarity", random.nextDouble());
        }
        writer.write(row);
      }
    }
    return file;
  }

  private static String caption(int number) {
    return "caption " + Long.toHexString(new Random(number).nextLong()) + " of " + number;
  }

  private static ParquetWriter<Group> writer(Path file, MessageType schema, boolean checksums)
      throws IOException {
    return ExampleParquetWriter.builder(new org.apache.hadoop.fs.Path(file.toUri()))
        .withType(schema)
        .withCompressionCodec(CompressionCodecName.SNAPPY)
        .withRowGroupSize(20_000L)
        .withPageSize(2_000)
        .withPageRowCountLimit(50)
        .withPageWriteChecksumEnabled(checksums)
        .build();
  }

  private static List<BlockMetaData> groups(Path file) throws IOException {
    try (ParquetFileReader reader =
        ParquetScan.open(
            new org.apache.hadoop.fs.Path(file.toUri()),
            0,
            Files.size(file),
            new Configuration())) {
      return reader.getRowGroups();
    }
  }

  private static void damage(Path file, int from, int count) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    new Random(1).nextBytes(bytes);
    byte[] whole = Files.readAllBytes(file);
    System.arraycopy(bytes, from, whole, from, count);
    Files.write(file, whole);
  }

  private static SourceFiles.Unit unit(Path file, SourceFiles.Part part, long start, long length) {
    return new SourceFiles.Unit(SourceFormat.PARQUET, part, file.toUri().toString(), start, length);
  }

  private static List<Row> scan(Path file) throws IOException {
    return scan(unit(file, SourceFiles.Part.PAIRS, 0, Files.size(file)), new Configuration());
  }

  private static List<Row> scan(SourceFiles.Unit unit, Configuration configuration)
      throws IOException {
    List<Row> rows = new ArrayList<>();
    try (RowScan scan = RowScan.open(unit, configuration)) {
      scan.forEachRemaining(rows::add);
    }
    return rows;
  }

  private static long count(Path file) throws IOException {
    try (RowScan scan =
        RowScan.open(
            unit(file, SourceFiles.Part.PAIRS, 0, Files.size(file)), new Configuration())) {
      return scan.count();
    }
  }
}
