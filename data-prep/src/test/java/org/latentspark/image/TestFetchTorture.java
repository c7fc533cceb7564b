package org.latentspark.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.latentspark.filter.RejectedException;

/** Fetches and decodes 10,000 URLs of a server that is as bad as the web. */
@Tag("chaos")
@Tag("slow")
@Timeout(500)
class TestFetchTorture {
  private static final int URLS = 10_000;
  private static final int IN_FLIGHT = 500;
  private static final String GOOD = "encoded";
  private static final Duration DEADLINE = Duration.ofSeconds(20);
  private static final Duration GRACE = Duration.ofSeconds(10);
  private static final long MEMORY = 128 << 20;

  /**
   * Bodies grow by doubling and are copied once, and each connection has its buffers. Without a
   * bound, bodies of 2 MiB would take a gigabyte and more.
   */
  private static final long MOST_HEAP = 4 * MEMORY + IN_FLIGHT * (64L << 10);

  @Test
  void everyUrlEndsInTimeUnderItsReasonInBoundedMemory() throws Exception {
    InetAddress outside = InetAddress.getByName("127.0.0.1");
    try (TortureServer server = new TortureServer("127.0.0.1");
        TortureServer inside = new TortureServer("127.0.0.2")) {
      List<String> urls = new ArrayList<>();
      Map<String, String> expected = expectations(server, inside);
      List<String> paths = List.copyOf(expected.keySet());
      Map<String, String> expectedByUrl = new HashMap<>();
      for (int i = 0; i < URLS; i++) {
        String path = paths.get(i % paths.size());
        urls.add(server.url(path) + "?" + i);
        expectedByUrl.put(urls.get(i), expected.get(path));
      }
      Collections.shuffle(urls, new Random(7));

      FetchSettings settings =
          TestFetcher.settings(
              "fetch.parallelism=" + IN_FLIGHT,
              "fetch.per-host=" + IN_FLIGHT,
              "fetch.memory=" + MEMORY,
              "fetch.max-bytes=2 MiB",
              "fetch.connect-timeout=" + DEADLINE.toSeconds() + " s",
              "fetch.read-timeout=" + DEADLINE.toSeconds() + " s",
              "fetch.deadline=" + DEADLINE.toSeconds() + " s");
      Map<String, String> actual;
      long before = liveHeap();
      long residentBefore = residentBytes();
      AtomicLong peak = new AtomicLong();
      AtomicLong slowest = new AtomicLong();
      try (Fetcher fetcher = new Fetcher(settings, outside::equals, InetAddress::getAllByName)) {
        actual = run(fetcher, urls, peak, slowest);
      }

      assertThat(actual).hasSize(URLS);
      assertThat(actual.entrySet())
          .filteredOn(end -> !end.getValue().startsWith(expectedByUrl.get(end.getKey())))
          .isEmpty();
      assertThat(Duration.ofNanos(slowest.get())).isLessThan(DEADLINE.plus(GRACE));
      assertThat(inside.connections()).as("connections to the refused address").isZero();
      assertThat(peak.get() - before).as("heap in use").isLessThan(MOST_HEAP);
      assertThat(residentBytes() - residentBefore).as("resident memory").isLessThan(1L << 30);
    }
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
    expected.put("/good", GOOD);
    expected.put("/cmyk", GOOD);
    expected.put("/large", GOOD);
    expected.put("/flaky/good", GOOD);
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

  private static Map<String, String> run(
      Fetcher fetcher, List<String> urls, AtomicLong peak, AtomicLong slowest)
      throws InterruptedException {
    ImageDecoder decoder = new ImageDecoder(new ImageSettings(64, 1 << 26));
    ExecutorService decoding = Executors.newSingleThreadExecutor();
    Semaphore free = new Semaphore(IN_FLIGHT);
    Map<String, String> outcomes = new ConcurrentHashMap<>();
    List<CompletableFuture<Void>> ends = new ArrayList<>();
    for (String url : urls) {
      assertThat(free.tryAcquire(60, TimeUnit.SECONDS)).as("a fetch ends").isTrue();
      long start = System.nanoTime();
      CompletableFuture<SquareImage> image = fetcher.fetch(url, decoder::decode, decoding);
      ends.add(
          image.handle(
              (square, failure) -> {
                slowest.accumulateAndGet(System.nanoTime() - start, Math::max);
                outcomes.put(url, outcome(failure));
                free.release();
                return null;
              }));
      if (outcomes.size() % 500 == 250) {
        peak.accumulateAndGet(liveHeap(), Math::max);
      }
    }
    assertThat(free.tryAcquire(IN_FLIGHT, 60, TimeUnit.SECONDS)).as("all end").isTrue();
    decoding.shutdownNow();
    return outcomes;
  }

  private static String outcome(Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof CompletionException) {
      cause = cause.getCause();
    }
    if (cause == null) {
      return GOOD;
    }
    // The reason's code, a colon and the detail.
    return cause instanceof RejectedException ? cause.getMessage() : cause.toString();
  }

  /** What is in use right after a full collection. */
  private static long liveHeap() {
    System.gc();
    return ManagementFactory.getMemoryPoolMXBeans().stream()
        .filter(pool -> pool.getType() == MemoryType.HEAP)
        .map(MemoryPoolMXBean::getCollectionUsage)
        .filter(usage -> usage != null)
        .mapToLong(usage -> usage.getUsed())
        .sum();
  }

  private static long residentBytes() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
        .sum();
  }
}
