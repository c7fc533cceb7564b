package org.latentspark.image;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Permission;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.latentspark.filter.RejectedException;

/**
 * Fetches and decodes the URLs of a file in a process of its own, whose heap is therefore bounded
 * and whose memory can be measured: what became of each goes to {@code outcomes.properties}, what
 * the process did to {@code process.properties}.
 */
final class FetchTorture {
  static final int IN_FLIGHT = 500;
  static final long MEMORY = 128 << 20;
  static final Duration DEADLINE = Duration.ofSeconds(60);
  static final String GOOD = "encoded";

  /** The longest that a machine may take to notice a deadline. */
  static final Duration GRACE = Duration.ofSeconds(60);

  private FetchTorture() {}

  /**
   * Takes the folder with {@code urls.txt} and the one address outside of the internet that may be
   * asked.
   */
  @SuppressWarnings("removal") // nothing else sees each connection of a process before it is made
  public static void main(String[] arguments) throws Exception {
    Path folder = Path.of(arguments[0]);
    InetAddress outside = InetAddress.getByName(arguments[1]);
    Connections connections = new Connections();
    System.setSecurityManager(connections);
    Predicate<InetAddress> allowed =
        address -> address.equals(outside) || PublicAddresses.isPublic(address);
    AtomicLong slowest = new AtomicLong();
    Properties outcomes = new Properties();
    try (Fetcher fetcher = new Fetcher(settings(), allowed, InetAddress::getAllByName)) {
      outcomes.putAll(run(fetcher, Files.readAllLines(folder.resolve("urls.txt")), slowest));
    }
    write(outcomes, folder.resolve("outcomes.properties"));
    Properties process = new Properties();
    process.setProperty("connections", String.join(" ", connections.opened));
    process.setProperty("slowest-seconds", Long.toString(slowest.get() / 1_000_000_000));
    process.setProperty("peak-resident-bytes", Long.toString(peakResidentBytes()));
    write(process, folder.resolve("process.properties"));
    System.exit(0);
  }

  private static void write(Properties properties, Path file) throws IOException {
    try (var out = Files.newBufferedWriter(file)) {
      properties.store(out, null);
    }
  }

  private static FetchSettings settings() {
    return TestFetcher.settings(
        "fetch.parallelism=" + IN_FLIGHT,
        "fetch.per-host=" + IN_FLIGHT,
        "fetch.memory=" + MEMORY,
        "fetch.max-bytes=2 MiB",
        "fetch.connect-timeout=" + DEADLINE.toSeconds() + " s",
        "fetch.read-timeout=" + DEADLINE.toSeconds() + " s",
        "fetch.deadline=" + DEADLINE.toSeconds() + " s");
  }

  private static Map<String, String> run(Fetcher fetcher, List<String> urls, AtomicLong slowest)
      throws InterruptedException {
    ImageDecoder decoder = new ImageDecoder(new ImageSettings(64, 1 << 26));
    ExecutorService decoding = Executors.newSingleThreadExecutor();
    Semaphore free = new Semaphore(IN_FLIGHT);
    Map<String, String> outcomes = new ConcurrentHashMap<>();
    List<CompletableFuture<Void>> ends = new ArrayList<>();
    for (String url : urls) {
      acquire(free, 1);
      long start = System.nanoTime();
      CompletableFuture<?> image = fetcher.fetch(url, decoder::decode, decoding);
      ends.add(
          image.handle(
              (any, failure) -> {
                slowest.accumulateAndGet(System.nanoTime() - start, Math::max);
                outcomes.put(url, outcome(failure));
                free.release();
                return null;
              }));
    }
    acquire(free, IN_FLIGHT);
    decoding.shutdownNow();
    return outcomes;
  }

  private static void acquire(Semaphore free, int count) throws InterruptedException {
    if (!free.tryAcquire(count, DEADLINE.plus(GRACE).toSeconds(), TimeUnit.SECONDS)) {
      throw new IllegalStateException("a fetch does not end");
    }
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

  private static long peakResidentBytes() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmHWM:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
        .sum();
  }

  /** Notes every address that the process is about to connect to; forbids nothing. */
  @SuppressWarnings("removal")
  private static final class Connections extends SecurityManager {
    private final Set<String> opened = new ConcurrentSkipListSet<>();

    @Override
    public void checkConnect(String host, int port) {
      // Without a port it is a name that is looked up.
      if (port != -1) {
        opened.add(host + ":" + port);
      }
    }

    @Override
    public void checkConnect(String host, int port, Object context) {
      checkConnect(host, port);
    }

    @Override
    public void checkPermission(Permission permission) {}

    @Override
    public void checkPermission(Permission permission, Object context) {}
  }
}
