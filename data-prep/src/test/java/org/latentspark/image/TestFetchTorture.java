package org.latentspark.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Fetches and decodes 10,000 URLs of a server that is as bad as the web. */
@Tag("chaos")
@Tag("slow")
@Timeout(900)
class TestFetchTorture {
  private static final int URLS = 10_000;

  /** Each of these takes a whole deadline. */
  private static final List<String> SLOW = List.of("/hang", "/drip");

  private static final int EACH_SLOW = 60;

  /** Without a bound, 380 of these at once take a gigabyte and more. */
  private static final List<String> LARGE = List.of("/large", "/endless");

  private static final int EACH_LARGE = 430;

  /** Bodies grow by doubling and are copied once; each connection has its buffers. */
  private static final long HEAP_MIB = (4 * FetchTorture.MEMORY >> 20) + 128;

  private static final long NATIVE_MIB = 512;

  @TempDir private Path folder;

  @Test
  void everyUrlEndsInTimeUnderItsReasonInBoundedMemory() throws Exception {
    try (TortureServer server = new TortureServer("127.0.0.1");
        TortureServer inside = new TortureServer("127.0.0.2")) {
      Map<String, String> expected = expectations(server, inside);
      List<String> paths = paths(expected.keySet());
      List<String> urls = new ArrayList<>();
      Properties expectedByUrl = new Properties();
      for (int i = 0; i < URLS; i++) {
        urls.add(server.url(paths.get(i)) + "?" + i);
        expectedByUrl.setProperty(urls.get(i), expected.get(paths.get(i)));
      }
      Files.write(folder.resolve("urls.txt"), urls);

      fetch();

      Properties actual = read("outcomes.properties");
      assertThat(actual).hasSize(URLS);
      assertThat(actual.entrySet())
          .filteredOn(
              end ->
                  !end.getValue()
                      .toString()
                      .startsWith(expectedByUrl.getProperty(end.getKey().toString())))
          .as("URLs that end otherwise than they have to")
          .isEmpty();
      Properties process = read("process.properties");
      assertThat(Long.parseLong(process.getProperty("slowest-seconds")))
          .isLessThan(FetchTorture.DEADLINE.plus(FetchTorture.GRACE).toSeconds());
      assertThat(process.getProperty("connections"))
          .as("all that the process ever connected to")
          .isEqualTo(server.url("").replace("http://", ""));
      assertThat(inside.connections()).as("connections to the refused address").isZero();
      assertThat(Long.parseLong(process.getProperty("peak-resident-bytes")) >> 20)
          .as("MiB, of heap and native memory, at the peak")
          .isLessThan(HEAP_MIB + NATIVE_MIB);
    }
  }

  /** Slow ones first, so that they wait beside the others' work; then the burst of large ones. */
  private static List<String> paths(Iterable<String> all) {
    List<String> paths = new ArrayList<>();
    SLOW.forEach(path -> paths.addAll(Collections.nCopies(EACH_SLOW, path)));
    for (int i = 0; i < EACH_LARGE; i++) {
      paths.addAll(LARGE);
    }
    List<String> others = new ArrayList<>();
    all.forEach(others::add);
    others.removeAll(SLOW);
    others.removeAll(LARGE);
    List<String> rest = new ArrayList<>();
    for (int i = 0; paths.size() + rest.size() < URLS; i++) {
      rest.add(others.get(i % others.size()));
    }
    Collections.shuffle(rest, new Random(7));
    paths.addAll(rest);
    return paths;
  }

  /** The server's paths, and what has to become of them. */
  private static Map<String, String> expectations(TortureServer server, TortureServer inside)
      throws IOException {
    byte[] jpeg = Images.jpeg(300, 200, 1);
    server
        .with("/good", jpeg)
        .with("/cmyk", Files.readAllBytes(Path.of("src/test/resources/decode/cmyk.jpg")))
        .with("/html", "<html><body>gone</body></html>".getBytes(StandardCharsets.UTF_8))
        .with("/truncated", Arrays.copyOf(jpeg, jpeg.length / 2))
        .with("/png-20000", Images.pngHeader(20_000, 20_000))
        .with("/png-65000", Images.pngHeader(65_000, 65_000))
        .with("/avif", "\0\0\0\u001cftypavif\0\0\0\0".getBytes(StandardCharsets.ISO_8859_1))
        .with("/large", Arrays.copyOf(jpeg, 1_500_000));
    inside.with("/secret", jpeg);
    Map<String, String> expected = new LinkedHashMap<>();
    expected.put("/good", FetchTorture.GOOD);
    expected.put("/cmyk", FetchTorture.GOOD);
    expected.put("/large", FetchTorture.GOOD);
    expected.put("/flaky/good", FetchTorture.GOOD);
    expected.put("/relative-to-nothing", "not-found");
    expected.put("/status/403", "forbidden");
    expected.put("/status/503", "http-error");
    expected.put("/drip", "timeout");
    expected.put("/hang", "timeout");
    expected.put("/reset", "connection-failed");
    expected.put("/lies", "connection-failed");
    expected.put("/loop", "bad-redirect");
    expected.put("/redirect-to/" + inside.url("/secret"), "private-address");
    expected.put("/redirect-to/http://169.254.169.254/latest/meta-data", "private-address");
    expected.put("/redirect-to/http://[fe80::1]/x", "private-address");
    expected.put("/redirect-to/http://[::ffff:169.254.169.254]/x", "private-address");
    expected.put("/endless", "too-large");
    expected.put("/claims-10-gb", "too-large");
    expected.put("/gzip-bomb", "not-an-image");
    expected.put("/html", "not-an-image");
    expected.put("/empty", "empty-file");
    expected.put("/truncated", "truncated");
    expected.put("/png-20000", "too-many-pixels");
    expected.put("/png-65000", "too-many-pixels");
    expected.put("/avif", "unsupported-format");
    return expected;
  }

  private void fetch() throws Exception {
    Path log = folder.resolve("log");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx" + HEAP_MIB + "m",
                "-XX:+ExitOnOutOfMemoryError",
                "-Djava.security.manager=allow",
                "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0",
                "-cp",
                System.getProperty("java.class.path"),
                FetchTorture.class.getName(),
                folder.toString(),
                "127.0.0.1")
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    try {
      assertThat(process.waitFor(10, TimeUnit.MINUTES)).as("the process ends").isTrue();
    } finally {
      process.destroyForcibly();
    }
    assertThat(process.exitValue()).as(() -> text(log)).isZero();
  }

  private static String text(Path log) {
    try {
      return Files.readString(log);
    } catch (IOException e) {
      return e.toString();
    }
  }

  private Properties read(String name) throws IOException {
    Properties properties = new Properties();
    try (var in = Files.newBufferedReader(folder.resolve(name))) {
      properties.load(in);
    }
    return properties;
  }
}
