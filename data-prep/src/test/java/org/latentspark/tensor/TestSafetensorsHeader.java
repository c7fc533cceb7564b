package org.latentspark.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.sun.management.ThreadMXBean;
import java.io.EOFException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.InputException;

@Tag("chaos")
class TestSafetensorsHeader {
  private static final long SEED = 20261123;
  private static final int FILES = 10_000;

  /** What opening any file may allocate: stream and parser buffers, a message, a stack trace. */
  private static final long FIXED_BYTES = 300_000;

  /** What each byte of a header that is really there may cost. */
  private static final long BYTES_PER_BYTE = 8;

  private static final Path VERDICTS = Path.of("target/round-trip/headers.json");
  private static final String NAME = "mutated.safetensors";
  private static final Configuration CONFIGURATION = new Configuration();
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  @TempDir private static Path folder;

  @BeforeAll
  static void load() throws IOException {
    // The first files load classes, which is no cost of theirs.
    Path good = Files.write(folder.resolve("good.safetensors"), SafetensorsMutations.good());
    open(good).close();
    SafetensorsMutations mutations = new SafetensorsMutations(SEED + 1);
    for (int index = 0; index < 100; index++) {
      try (SafetensorsReader reader = open(mutations.next())) {
        assertThat(reader.entries()).isNotNull();
      } catch (InputException e) {
        assertThat(e).hasMessageContaining(NAME);
      }
    }
  }

  @Test
  @Timeout(60)
  void mutatedHeadersAreRefusedOrReadExactly() throws IOException {
    SafetensorsMutations mutations = new SafetensorsMutations(SEED);
    ArrayNode verdicts = new ObjectMapper().createArrayNode();
    int refused = 0;
    for (int index = 0; index < FILES; index++) {
      byte[] content = mutations.next();
      Verdict verdict = verdict(content);
      refused += verdict == Verdict.REFUSED ? 1 : 0;
      verdicts.addArray().add(content).add(verdict.name());
    }
    assertThat(refused).as("of %d files", FILES).isBetween(FILES / 2, FILES * 9 / 10);
    // For make_fixtures.py --check, which asks the reference implementation.
    Files.createDirectories(VERDICTS.getParent());
    Files.writeString(VERDICTS, verdicts.toString());
  }

  @Test
  void claimedHundredMegabytesOfNothingCostNothing() throws IOException {
    Path file = folder.resolve("sparse.safetensors");
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.write(SafetensorsMutations.file(100_000_000, new byte[0], 0));
      sparse.setLength(10_000_000_000L);
    }
    assertThat(refusedBytes(() -> open(file))).isLessThan(FIXED_BYTES);
  }

  @Test
  @Timeout(60)
  void hundredMegabytesOfSpacesNestingOrDimensionsCostLittle() throws IOException {
    byte[] start = "{\"a\":{\"dtype\":\"F32\",\"shape\":[".getBytes(StandardCharsets.UTF_8);
    for (String filling : List.of(" ", "[", "{\"a\":", "1,")) {
      byte[] json = filling.repeat(100_000_000 / filling.length()).getBytes(StandardCharsets.UTF_8);
      System.arraycopy(start, 0, json, 0, start.length);
      byte[] content = SafetensorsMutations.file(json.length, json, 0);
      assertThat(refusedBytes(() -> open(content))).as(filling).isLessThan(json.length / 16);
    }
  }

  @Test
  void fileShortenedWhileItIsMappedIsRefused() throws IOException {
    Path file = folder.resolve("shrinks.safetensors");
    byte[] json =
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[250000],\"data_offsets\":[0,1000000]}}"
            .getBytes(StandardCharsets.UTF_8);
    Files.write(file, SafetensorsMutations.file(json.length, json, 1_000_000));
    try (PointerScope scope = new PointerScope();
        SafetensorsReader reader = open(file)) {
      reader.read("a");
      try (RandomAccessFile shorter = new RandomAccessFile(file.toFile(), "rw")) {
        shorter.setLength(10_000);
      }
      assertThatThrownBy(() -> reader.read("a"))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("shrinks.safetensors ends within tensor a");
    }
  }

  private enum Verdict {
    REFUSED,
    READ
  }

  /** Opens a file, checks what that costs, and that all it gives is what the file holds. */
  private static Verdict verdict(byte[] content) throws IOException {
    long before = THREADS.getCurrentThreadAllocatedBytes();
    try (PointerScope scope = new PointerScope();
        SafetensorsReader reader = open(content)) {
      requireLittle(before, content);
      assertReadsExactly(reader, content);
      return Verdict.READ;
    } catch (InputException e) {
      requireLittle(before, content);
      assertThat(e).hasMessageContaining(NAME + ": ");
      assertThat(e.getMessage()).hasSizeLessThan(1000);
      return Verdict.REFUSED;
    }
  }

  private static void requireLittle(long before, byte[] content) {
    long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
    assertThat(allocated)
        .as(() -> "allocated for " + new String(content, StandardCharsets.UTF_8))
        .isLessThan(FIXED_BYTES + BYTES_PER_BYTE * content.length);
  }

  private static void assertReadsExactly(SafetensorsReader reader, byte[] content)
      throws IOException {
    long header = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
    int data = Math.toIntExact(Long.BYTES + header);
    int end = 0;
    for (SafetensorsEntry entry : reader.entries().values()) {
      assertThat(entry.begin()).isEqualTo(end);
      end = Math.toIntExact(entry.end());
      Tensor tensor = reader.read(entry.name());
      byte[] bytes = new byte[(int) (entry.end() - entry.begin())];
      if (bytes.length > 0) {
        new BytePointer(tensor.data_ptr()).capacity(bytes.length).get(bytes);
      }
      assertThat(bytes)
          .as(entry.name())
          .isEqualTo(Arrays.copyOfRange(content, data + (int) entry.begin(), data + end));
      assertThat(Tensors.sizes(tensor)).isEqualTo(entry.sizes());
    }
    assertThat(data + end).isEqualTo(content.length);
  }

  private static long refusedBytes(ThrowingCallable open) {
    long before = THREADS.getCurrentThreadAllocatedBytes();
    Throwable refused = null;
    try {
      open.call();
    } catch (Throwable e) {
      refused = e;
    }
    long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
    assertThat(refused).isInstanceOf(InputException.class);
    return allocated;
  }

  private static SafetensorsReader open(byte[] content) throws IOException {
    return SafetensorsReader.open(NAME, new Bytes(content));
  }

  private static SafetensorsReader open(Path file) throws IOException {
    return SafetensorsReader.open(new org.apache.hadoop.fs.Path(file.toUri()), CONFIGURATION);
  }

  /** A file in memory: ten thousand on a disk take minutes. */
  private record Bytes(byte[] content) implements ByteSource {
    @Override
    public long length() {
      return content.length;
    }

    @Override
    public void read(long position, ByteBuffer target) throws EOFException {
      if (position + target.remaining() > content.length) {
        throw new EOFException("at " + position);
      }
      target.put(content, (int) position, target.remaining());
    }

    @Override
    public void close() {}
  }
}
