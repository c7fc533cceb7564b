package org.latentspark.pairs;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Locale;
import java.util.OptionalLong;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarUtils;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.spark.sql.Row;

/**
 * The pairs of a WebDataset archive, as img2dataset writes them. Images are not read here: rows say
 * where in the archive they are.
 *
 * <p>Nothing is unpacked, so that no entry can write anywhere; entries that would are refused all
 * the same. After a damaged entry the scan goes on at the next valid header.
 */
final class TarScan extends RowScan {
  private static final int NAME_LENGTH = 100;

  private final long length;
  private final FSDataInputStream in;
  private final TarHeaders headers;
  private final Deque<Row> ready = new ArrayDeque<>();
  private Sample sample = new Sample("");
  private long at;
  private boolean ended;

  /** The files of one name. */
  private static final class Sample {
    private final String name;
    private final SampleText texts = new SampleText();
    private ImageLocation image;
    private boolean refused;

    Sample(String name) {
      this.name = name;
    }
  }

  TarScan(String path, long length, FSDataInputStream in) {
    super(path);
    this.length = length;
    this.in = in;
    this.headers = new TarHeaders(in, length);
  }

  @Override
  Row read() throws IOException {
    while (ready.isEmpty() && !ended) {
      advance();
    }
    return ready.poll();
  }

  private void advance() throws IOException {
    byte[] block = headers.block(at);
    if (block == null) {
      flush();
      ready.add(
          refused(null, SourceFault.UNREADABLE_SOURCE, "the archive ends without its end mark"));
      ended = true;
    } else if (Arrays.equals(block, new byte[TarHeaders.BLOCK])) {
      flush();
      ended = true;
    } else {
      entry(TarUtils.parseName(block, 0, NAME_LENGTH));
    }
  }

  /**
   * Reads the entry that starts here.
   *
   * @param shortName what it is called if it cannot be read further
   */
  private void entry(String shortName) throws IOException {
    String name = shortName;
    // Until the entry's size is known to be sound, the next entry has to be searched for.
    OptionalLong end = OptionalLong.empty();
    try {
      headers.requireSound(at);
      in.seek(at);
      TarArchiveInputStream tar = new TarArchiveInputStream(in);
      TarArchiveEntry entry = tar.getNextTarEntry();
      long data = in.getPos();
      name = entry.getName();
      requireInside(entry.getSize(), data);
      end = OptionalLong.of(data + TarHeaders.padded(entry.getSize()));
      requireAcceptable(entry);
      if (!entry.isDirectory()) {
        take(entry, data, tar);
      }
    } catch (IOException | RuntimeException e) {
      refuse(name, e.getMessage() == null ? e.toString() : e.getMessage());
    }
    at = end.isPresent() ? end.getAsLong() : headers.next(at + TarHeaders.BLOCK);
  }

  private void requireInside(long size, long data) throws IOException {
    if (size < 0 || size > length - data) {
      throw new IOException(
          "size %d, the archive has %d bytes from there on".formatted(size, length - data));
    }
  }

  private static void requireAcceptable(TarArchiveEntry entry) throws IOException {
    if (ImageLocation.leadsOut(entry.getName())) {
      throw new IOException("the name leads out of the archive");
    }
    if (entry.isSymbolicLink() || entry.isLink()) {
      throw new IOException("a link to '" + entry.getLinkName() + "'");
    }
    if (entry.isCharacterDevice() || entry.isBlockDevice() || entry.isFIFO()) {
      throw new IOException("neither file nor folder");
    }
    if (entry.isSparse()) {
      throw new IOException("a sparse file");
    }
  }

  private void take(TarArchiveEntry entry, long data, TarArchiveInputStream tar)
      throws IOException {
    // WebDataset: a sample's name ends at the first full stop of the file's name.
    String path = entry.getName();
    int stop = path.indexOf('.', path.lastIndexOf('/') + 1);
    if (stop < 0) {
      return;
    }
    startSample(path.substring(0, stop));
    String extension = path.substring(stop).toLowerCase(Locale.ROOT);
    if (extension.equals(".txt")) {
      sample.texts.caption(text(entry, tar));
    } else if (extension.equals(".json")) {
      sample.texts.json(text(entry, tar));
    } else if (SourceFormat.of(extension).filter(SourceFormat.IMAGE::equals).isPresent()) {
      sample.image = new ImageLocation(path(), data, entry.getSize());
    }
  }

  private void startSample(String name) {
    if (!sample.name.equals(name)) {
      flush();
      sample = new Sample(name);
    }
  }

  private static String text(TarArchiveEntry entry, TarArchiveInputStream tar) throws IOException {
    SampleText.requireShort(entry.getName(), entry.getSize());
    return new String(tar.readNBytes((int) entry.getSize()), StandardCharsets.UTF_8);
  }

  private void refuse(String name, String why) {
    int stop = name.indexOf('.', name.lastIndexOf('/') + 1);
    startSample(stop < 0 ? name : name.substring(0, stop));
    sample.refused = true;
    ready.add(refused(name, SourceFault.BAD_ENTRY, "%s (at byte %d)".formatted(why, at)));
  }

  /** Ends the sample that was read; one of which an entry was refused is counted by that. */
  private void flush() {
    if (sample.image != null && !sample.refused) {
      ready.add(PairRows.of(sample.texts, sample.image, path() + "#" + sample.name));
    } else if (!sample.texts.isEmpty() && !sample.refused) {
      ready.add(
          refused(sample.name, SourceFault.MISSING_IMAGE, "the archive has only its caption"));
    }
    sample = new Sample("");
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
