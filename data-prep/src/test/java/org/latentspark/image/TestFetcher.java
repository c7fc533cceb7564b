package org.latentspark.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.net.InetAddress;
import java.net.URLEncoder;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.latentspark.cli.Settings;
import org.latentspark.filter.RejectReason;
import org.latentspark.filter.RejectedException;
import org.latentspark.filter.Rejection;

@Tag("chaos")
@Timeout(60)
class TestFetcher {
  private static final byte[] FILE = {1, 2, 3, 4, 5};

  private TortureServer server;

  @BeforeEach
  void start() throws Exception {
    server = new TortureServer("127.0.0.1").with("/file.bin", FILE);
  }

  @AfterEach
  void stop() throws Exception {
    server.close();
  }

  @Test
  void fetchesAFile() throws Exception {
    try (Fetcher fetcher = new Fetcher(settings())) {
      assertThat(fetch(fetcher, server.url("/file.bin")).get()).isEqualTo(FILE);
    }
  }

  @Test
  void healsByRetryingWhatCanHeal() throws Exception {
    try (Fetcher fetcher = new Fetcher(settings())) {
      assertThat(fetch(fetcher, server.url("/flaky/file.bin")).get()).isEqualTo(FILE);
      assertThat(server.asked("/flaky/file.bin")).isEqualTo(3);
    }
  }

  @Test
  void followsRelativeAndAbsoluteRedirects() throws Exception {
    try (Fetcher fetcher = new Fetcher(settings())) {
      assertThat(fetch(fetcher, server.url("/relative")).get()).isEqualTo(FILE);
      assertThat(fetch(fetcher, server.url("/redirect-to/" + server.url("/file.bin"))).get())
          .isEqualTo(FILE);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "/nothing, NOT_FOUND, 1",
    "/status/410, NOT_FOUND, 1",
    "/status/403, FORBIDDEN, 1",
    "/status/418, HTTP_ERROR, 1",
    "/status/500, HTTP_ERROR, 3",
    "/status/503, HTTP_ERROR, 3",
    "/empty, EMPTY_FILE, 1",
    "/loop, BAD_REDIRECT, 4",
    "/redirect-to/ftp://example.org/x, BAD_REDIRECT, 1",
    "/redirect-to/file:///etc/passwd, BAD_REDIRECT, 1",
    "/endless, TOO_LARGE, 1",
    "/claims-10-gb, TOO_LARGE, 1",
    "/lies, CONNECTION_FAILED, 3",
    "/reset, CONNECTION_FAILED, 3",
    "/garbage, CONNECTION_FAILED, 1",
    "/status/501, HTTP_ERROR, 1",
  })
  void givesEachFailureItsReasonAndRetriesOnlyWhatCanHeal(
      String path, RejectReason reason, int times) throws Exception {
    try (Fetcher fetcher = new Fetcher(settings())) {
      assertThat(rejection(fetch(fetcher, server.url(path)))).isEqualTo(reason);
      assertThat(server.asked(path)).isEqualTo(times);
    }
  }

  @ParameterizedTest
  @CsvSource({"/hang", "/drip"})
  void endsByTheDeadlineWhateverTheServerDoes(String path) throws Exception {
    try (Fetcher fetcher = new Fetcher(settings("fetch.deadline=700 ms"))) {
      long start = System.nanoTime();
      assertThat(rejection(fetch(fetcher, server.url(path)))).isEqualTo(RejectReason.TIMEOUT);
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
    }
  }

  @Test
  void slowOnesDoNotHoldUpTheOthers() throws Exception {
    try (Fetcher fetcher =
        new Fetcher(
            settings("fetch.deadline=3 s", "fetch.parallelism=200", "fetch.per-host=200"))) {
      List<CompletableFuture<byte[]>> slow = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        slow.add(fetch(fetcher, server.url(i % 2 == 0 ? "/hang" : "/drip")));
      }
      assertThat(fetch(fetcher, server.url("/file.bin")).get(2, TimeUnit.SECONDS)).isEqualTo(FILE);
      for (CompletableFuture<byte[]> fetch : slow) {
        assertThat(rejection(fetch)).isEqualTo(RejectReason.TIMEOUT);
      }
    }
  }

  @Test
  void aHostThatIsNotThereIsUnknown() throws Exception {
    try (Fetcher fetcher = new Fetcher(settings())) {
      assertThat(rejection(fetch(fetcher, "http://no-such-host.invalid/x")))
          .isEqualTo(RejectReason.UNKNOWN_HOST);
    }
  }

  @Test
  void aClosedPortIsAFailedConnection() throws Exception {
    String url = server.url("/file.bin");
    server.close();
    try (Fetcher fetcher = new Fetcher(settings())) {
      assertThat(rejection(fetch(fetcher, url))).isEqualTo(RejectReason.CONNECTION_FAILED);
    }
  }

  @Test
  void asksNoPrivateAddress() throws Exception {
    try (Fetcher fetcher = new Fetcher(settings("fetch.allow-private-addresses=false"))) {
      for (String host : List.of("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0")) {
        String url = server.url("/file.bin").replace("127.0.0.1", host);
        assertThat(rejection(fetch(fetcher, url))).as(url).isEqualTo(RejectReason.PRIVATE_ADDRESS);
      }
    }
    assertThat(server.connections()).isZero();
  }

  @Test
  void asksNoPrivateAddressAfterARedirectEither() throws Exception {
    InetAddress outside = InetAddress.getByName("127.0.0.1");
    try (TortureServer inside = new TortureServer("127.0.0.2").with("/secret", FILE);
        Fetcher fetcher = new Fetcher(settings(), outside::equals, InetAddress::getAllByName)) {
      String url = server.url("/redirect-to/" + inside.url("/secret"));
      assertThat(rejection(fetch(fetcher, url))).isEqualTo(RejectReason.PRIVATE_ADDRESS);
      assertThat(server.connections()).isEqualTo(1);
      assertThat(inside.connections()).isZero();
    }
  }

  @Test
  void connectsToTheAddressThatItHasCheckedThoughTheNameChanges() throws Exception {
    InetAddress outside = InetAddress.getByName("127.0.0.1");
    InetAddress inside = InetAddress.getByName("127.0.0.2");
    try (TortureServer secret = new TortureServer("127.0.0.2").with("/file.bin", FILE)) {
      AtomicInteger asked = new AtomicInteger();
      HostAddresses.Lookup rebinding =
          host -> new InetAddress[] {asked.incrementAndGet() == 1 ? outside : inside};
      FetchSettings forgetful = settings("fetch.name-lifetime=0 s", "fetch.retries=0");
      try (Fetcher fetcher = new Fetcher(forgetful, outside::equals, rebinding)) {
        String url = server.url("/file.bin").replace("127.0.0.1", "rebind.test");
        assertThat(fetch(fetcher, url).get()).isEqualTo(FILE);
        String port = secret.url("").replaceFirst(".*:", "");
        assertThat(rejection(fetch(fetcher, "http://rebind.test:" + port + "/file.bin")))
            .isEqualTo(RejectReason.PRIVATE_ADDRESS);
      }
      assertThat(secret.connections()).isZero();
    }
  }

  @Test
  void asksForANameOnceAndForOneThatMayHealAgain() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    HostAddresses.Lookup lookup =
        host -> {
          int time = asked.incrementAndGet();
          if (host.equals("busy.test") && time < 3) {
            throw new UnknownHostException("busy.test: Temporary failure in name resolution");
          }
          if (host.equals("gone.test")) {
            throw new UnknownHostException("gone.test: Name or service not known");
          }
          return new InetAddress[] {InetAddress.getByName("127.0.0.1")};
        };
    try (Fetcher fetcher = new Fetcher(settings(), address -> true, lookup)) {
      String url = server.url("/file.bin");
      for (int i = 0; i < 5; i++) {
        assertThat(fetch(fetcher, url.replace("127.0.0.1", "busy.test")).get()).isEqualTo(FILE);
      }
      assertThat(asked.getAndSet(0)).isEqualTo(3);
      for (int i = 0; i < 5; i++) {
        assertThat(rejection(fetch(fetcher, url.replace("127.0.0.1", "gone.test"))))
            .isEqualTo(RejectReason.UNKNOWN_HOST);
      }
      assertThat(asked.get()).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "noai | true",
        "NoImageAI | true",
        "noindex, noai | true",
        "latentspark: noai | true",
        "*: noai | true",
        "otherbot: noai | false",
        "noindex | false",
        "noaid | false",
      })
  void honoursTheServersRobotsTag(String tag, boolean forbidden) throws Exception {
    String url = server.url("/robots/" + URLEncoder.encode(tag, StandardCharsets.US_ASCII));
    try (Fetcher obedient = new Fetcher(settings());
        Fetcher deaf = new Fetcher(settings("fetch.robots-directives=[]"))) {
      if (forbidden) {
        assertThat(rejection(fetch(obedient, url))).isEqualTo(RejectReason.OPTED_OUT);
      } else {
        assertThat(fetch(obedient, url).get()).isEqualTo(FILE);
      }
      assertThat(fetch(deaf, url).get()).isEqualTo(FILE);
    }
  }

  @Test
  void aSilentServerIsGivenUpBeforeTheDeadline() throws Exception {
    try (Fetcher fetcher = new Fetcher(settings("fetch.read-timeout=300 ms", "fetch.retries=0"))) {
      long start = System.nanoTime();
      assertThat(rejection(fetch(fetcher, server.url("/hang")))).isEqualTo(RejectReason.TIMEOUT);
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
    }
  }

  @Test
  void opensNoMoreConnectionsToAHostThanAllowed() throws Exception {
    try (Fetcher fetcher = new Fetcher(settings("fetch.per-host=3"))) {
      List<CompletableFuture<byte[]>> fetches = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        fetches.add(fetch(fetcher, server.url("/slow/" + i)));
      }
      for (CompletableFuture<byte[]> fetch : fetches) {
        assertThat(fetch.get()).isEqualTo(FILE);
      }
      assertThat(server.mostAtOnce()).isEqualTo(3);
    }
  }

  @Test
  void filesThatDoNotFitIntoTheMemoryWaitForThoseThatDo() throws Exception {
    byte[] large = new byte[400_000];
    server.with("/large", large);
    // Half of 4 MiB for files that grow: four of up to 512,000 bytes.
    FetchSettings tight =
        settings("fetch.memory=4 MiB", "fetch.max-bytes=512000", "fetch.read-timeout=30 s");
    BlockingQueue<Runnable> uses = new LinkedBlockingQueue<>();
    try (Fetcher fetcher = new Fetcher(tight)) {
      List<CompletableFuture<byte[]>> fetches = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        fetches.add(fetcher.fetch(server.url("/large?" + i), file -> file, uses::add));
      }
      // While the files are not used, no others are let in.
      Thread.sleep(2000);
      assertThat(uses).hasSize(4);
      for (int i = 0; i < 20; i++) {
        uses.poll(10, TimeUnit.SECONDS).run();
      }
      for (CompletableFuture<byte[]> fetch : fetches) {
        assertThat(fetch.get()).isEqualTo(large);
      }
    }
  }

  @Test
  void rewritesThePrefixThatIsConfigured() throws Exception {
    FetchSettings rewriting =
        settings(
            "fetch.rewrite-from=http://127.0.0.1:8765/", "fetch.rewrite-to=" + server.url("/"));
    try (Fetcher fetcher = new Fetcher(rewriting)) {
      assertThat(fetch(fetcher, "http://127.0.0.1:8765/file.bin").get()).isEqualTo(FILE);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "8.8.8.8, true",
    "2a00:1450:4001::200e, true",
    "64:ff9b::808:808, true",
    "10.1.2.3, false",
    "172.16.0.1, false",
    "172.32.0.1, true",
    "192.168.0.1, false",
    "169.254.169.254, false",
    "100.64.0.1, false",
    "100.128.0.1, true",
    "198.18.0.1, false",
    "224.0.0.1, false",
    "255.255.255.255, false",
    "0.0.0.0, false",
    "::, false",
    "::1, false",
    "fe80::1, false",
    "fc00::1, false",
    "fd12:3456::1, false",
    "ff02::1, false",
    "::ffff:10.0.0.1, false",
    "64:ff9b::a00:1, false",
    "2002:a00:1::, false",
    "2001:db8::1, false",
  })
  void knowsPublicAddresses(String address, boolean isPublic) throws UnknownHostException {
    assertThat(PublicAddresses.isPublic(InetAddress.getByName(address))).isEqualTo(isPublic);
  }

  private static RejectReason rejection(CompletableFuture<byte[]> fetch) {
    Throwable failure = catchThrowable(() -> fetch.get(30, TimeUnit.SECONDS));
    assertThat(failure).isInstanceOf(ExecutionException.class);
    assertThat(failure).hasCauseInstanceOf(RejectedException.class);
    Rejection rejection = ((RejectedException) failure.getCause()).rejection();
    return rejection.reason();
  }

  private static CompletableFuture<byte[]> fetch(Fetcher fetcher, String url) {
    return fetcher.fetch(url, file -> file, Runnable::run);
  }

  static FetchSettings settings(String... overrides) {
    List<String> items =
        new ArrayList<>(
            List.of(
                "fetch.parallelism=32",
                "fetch.per-host=32",
                "fetch.connect-timeout=2 s",
                "fetch.deadline=10 s",
                "fetch.max-bytes=100000",
                "fetch.max-redirects=3",
                "fetch.backoff=20 ms",
                "fetch.allow-private-addresses=true"));
    items.addAll(List.of(overrides));
    return Settings.load(List.of("org/latentspark/prep/reference.conf"), null, items)
        .read(FetchSettings::read);
  }
}
