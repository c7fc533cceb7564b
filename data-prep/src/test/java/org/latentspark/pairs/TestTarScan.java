package org.latentspark.pairs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.latentspark.pairs.TestRowScan.reasons;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("chaos")
@Timeout(60)
class TestTarScan {
  private static final int BLOCK = 512;

  @TempDir Path folder;

  @Test
  void findsEveryImageWhereItIs() throws Exception {
    Archive archive = new Archive();
    archive.file("sub.dir/0001.jpg", "image one");
    archive.file("sub.dir/0001.txt", "first");
    archive.file("sub.dir/0001.json", "{\"url\": \"http://a/1\", \"similarity\": 0.5}");
    archive.file("x".repeat(200) + ".seg.png", "image two");
    archive.file("x".repeat(200) + ".txt", "second");
    byte[] bytes = archive.finish();
    List<Row> rows = scan(bytes);
    assertThat(reasons(rows)).containsExactly(null, null);
    assertThat(rows).extracting(row -> row.getAs("caption")).containsExactly("first", "second");
    assertThat(rows.get(0).<String>getAs("url")).isEqualTo("http://a/1");
    assertThat(rows.get(0).<Double>getAs("similarity")).isEqualTo(0.5);
    assertThat(rows.get(1).<String>getAs("url")).endsWith("a.tar#" + "x".repeat(200));
    assertThat(image(bytes, rows.get(0))).isEqualTo("image one");
  }

  @ParameterizedTest
  @ValueSource(strings = {"../evil.jpg", "/etc/evil.jpg", "a/../../evil.jpg", "C:\\evil.jpg"})
  void refusesNamesThatLeadOut(String name) throws Exception {
    Archive archive = new Archive();
    archive.pair("0001");
    archive.file(name, "evil");
    archive.pair("0002");
    List<Row> rows = scan(archive.finish());
    assertThat(reasons(rows)).containsExactlyInAnyOrder(null, "bad-entry", null);
    assertThat(detail(rows)).contains("leads out of the archive");
  }

  @ParameterizedTest
  @CsvSource({"50, a link", "49, a link", "51, neither file", "54, neither file"})
  void refusesWhatIsNoFile(byte type, String why) throws Exception {
    Archive archive = new Archive();
    archive.pair("0001");
    archive.special("0002.jpg", type, "/etc/passwd");
    archive.file("0002.txt", "its caption");
    archive.pair("0003");
    List<Row> rows = scan(archive.finish());
    assertThat(reasons(rows)).containsExactlyInAnyOrder(null, "bad-entry", null);
    assertThat(detail(rows)).startsWith(why);
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, -512, Long.MIN_VALUE, 1L << 33, Long.MAX_VALUE, Long.MAX_VALUE - 511})
  void refusesASizeThatCannotBeAndReadsTheRest(long size) throws Exception {
    Archive archive = new Archive();
    archive.pair("0001");
    int liar = archive.size();
    archive.file("0002.jpg", "image");
    archive.file("0002.txt", "caption");
    archive.pair("0003");
    byte[] bytes = archive.finish();
    binarySize(bytes, liar, size);
    List<Row> rows = scan(bytes);
    assertThat(reasons(rows)).containsExactlyInAnyOrder(null, "bad-entry", null);
    assertThat(rows)
        .filteredOn(row -> row.isNullAt(row.fieldIndex("reason")))
        .extracting(row -> row.getAs("caption"))
        .containsExactly("caption of 0001", "caption of 0003");
  }

  @Test
  void refusesAnExtensionThatWouldFillTheMemory() throws Exception {
    Archive archive = new Archive();
    archive.pair("0001");
    int extension = archive.size();
    archive.file("y".repeat(200) + ".jpg", "image");
    archive.pair("0003");
    byte[] bytes = archive.finish();
    binarySize(bytes, extension, 1L << 40);
    assertThat(reasons(scan(bytes))).contains("bad-entry").containsOnlyOnce("bad-entry");
    assertThat(scan(bytes)).extracting(row -> row.getAs("caption")).contains("caption of 0003");
  }

  @Test
  void aDamagedHeaderCostsItsEntry() throws Exception {
    Archive archive = new Archive();
    archive.pair("0001");
    int damaged = archive.size();
    archive.pair("0002");
    archive.pair("0003");
    byte[] bytes = archive.finish();
    bytes[damaged + 3] ^= 0x10;
    List<Row> rows = scan(bytes);
    assertThat(rows).extracting(row -> row.getAs("caption")).contains("caption of 0003");
    assertThat(reasons(rows)).contains("bad-entry");
  }

  @Test
  void atEveryCutWhatCameBeforeIsReadAndTheRestIsCountedOnce() throws Exception {
    Archive archive = new Archive();
    for (int i = 1; i <= 3; i++) {
      archive.pair("000" + i);
    }
    int content = archive.size();
    byte[] whole = archive.finish();
    for (int length = 0; length < content + BLOCK; length += 100) {
      List<String> reasons = reasons(scan(Arrays.copyOf(whole, length)));
      // A pair is an image of two blocks and a caption of two.
      assertThat(reasons.stream().filter(reason -> reason == null).count())
          .as("pairs read of %d bytes", length)
          .isBetween((long) length / (4 * BLOCK), (long) (length + 3 * BLOCK) / (4 * BLOCK));
      assertThat(reasons.stream().filter("unreadable-source"::equals).count()).isEqualTo(1);
    }
    assertThat(reasons(scan(whole))).containsExactly(null, null, null);
  }

  @Test
  void countsCaptionsWithoutImagesAndDamagedMetadata() throws Exception {
    Archive archive = new Archive();
    archive.file("0001.txt", "no image");
    archive.file("0002.jpg", "image");
    archive.file("0002.json", "{\"url\": ");
    archive.file("0003.jpg", "image");
    archive.file("0003.txt", "z".repeat((1 << 20) + 1));
    archive.file("0004.cls", "7");
    archive.pair("0005");
    assertThat(reasons(scan(archive.finish())))
        .containsExactly("missing-image", "bad-entry", "bad-entry", null);
  }

  @Test
  void survivesRandomDamage() throws Exception {
    Archive archive = new Archive();
    for (int i = 1; i <= 5; i++) {
      archive.pair("000" + i);
    }
    archive.file("x".repeat(200) + ".jpg", "image");
    byte[] whole = archive.finish();
    Random random = new Random(11);
    for (int round = 0; round < 300; round++) {
      byte[] damaged = whole.clone();
      for (int flips = 0; flips < 8; flips++) {
        damaged[random.nextInt(whole.length)] = (byte) random.nextInt();
      }
      for (Row row : scan(damaged)) {
        if (!row.isNullAt(row.fieldIndex("location"))) {
          image(damaged, row);
        }
      }
    }
  }

  private static String detail(List<Row> rows) {
    return rows.stream()
        .map(row -> row.<String>getAs("detail"))
        .filter(detail -> detail != null)
        .findFirst()
        .orElseThrow();
  }

  private static String image(byte[] archive, Row row) {
    ImageLocation location = ImageLocation.parse(row.getAs("location"));
    return new String(
        archive, (int) location.offset(), (int) location.length(), StandardCharsets.UTF_8);
  }

  private List<Row> scan(byte[] archive) throws IOException {
    return TestRowScan.scan(Files.write(folder.resolve("a.tar"), archive));
  }

  /** Writes a size as GNU tar does for what octal digits cannot say, and the checksum anew. */
  private static void binarySize(byte[] archive, int header, long size) {
    Arrays.fill(archive, header + 124, header + 136, (byte) (size < 0 ? 0xff : 0));
    if (size >= 0) {
      archive[header + 124] = (byte) 0x80;
    }
    for (int i = 0; i < 8; i++) {
      archive[header + 135 - i] = (byte) (size >>> (8 * i));
    }
    Arrays.fill(archive, header + 148, header + 156, (byte) ' ');
    int sum = 0;
    for (int i = 0; i < BLOCK; i++) {
      sum += archive[header + i] & 0xff;
    }
    byte[] digits = "%06o\0 ".formatted(sum).getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(digits, 0, archive, header + 148, digits.length);
  }

  /** An archive in the making. */
  private static final class Archive {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final TarArchiveOutputStream out = new TarArchiveOutputStream(bytes, BLOCK);

    Archive() {
      out.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
    }

    void pair(String name) throws IOException {
      file(name + ".jpg", "image of " + name);
      file(name + ".txt", "caption of " + name);
    }

    void file(String name, String content) throws IOException {
      byte[] data = content.getBytes(StandardCharsets.UTF_8);
      TarArchiveEntry entry = new TarArchiveEntry(name, true);
      entry.setSize(data.length);
      out.putArchiveEntry(entry);
      out.write(data);
      out.closeArchiveEntry();
    }

    void special(String name, byte type, String target) throws IOException {
      TarArchiveEntry entry = new TarArchiveEntry(name, type);
      entry.setLinkName(target);
      if (type == TarConstants.LF_CHR) {
        entry.setDevMajor(1);
      }
      out.putArchiveEntry(entry);
      out.closeArchiveEntry();
    }

    int size() throws IOException {
      out.flush();
      return (int) out.getBytesWritten();
    }

    byte[] finish() throws IOException {
      out.finish();
      out.flush();
      return bytes.toByteArray();
    }
  }
}
