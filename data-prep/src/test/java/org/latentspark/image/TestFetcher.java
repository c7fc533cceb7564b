package org.latentspark.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.latentspark.filter.RejectReason;
import org.latentspark.filter.RejectedException;
import org.latentspark.filter.Rejection;
import org.latentspark.image.FetchSettings.Addresses;

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
    try (Fetcher fetcher = new Fetcher(settings(Duration.ofSeconds(10)))) {
      assertThat(fetcher.fetch(server.url("/file.bin")).get()).isEqualTo(FILE);
    }
  }

  @Test
  void healsByRetryingWhatCanHeal() throws Exception {
    try (Fetcher fetcher = new Fetcher(settings(Duration.ofSeconds(10)))) {
      assertThat(fetcher.fetch(server.url("/flaky/file.bin")).get()).isEqualTo(FILE);
      assertThat(server.asked("/flaky/file.bin")).isEqualTo(3);
    }
  }

  @Test
  void followsRelativeAndAbsoluteRedirects() throws Exception {
    try (Fetcher fetcher = new Fetcher(settings(Duration.ofSeconds(10)))) {
      assertThat(fetcher.fetch(server.url("/relative")).get()).isEqualTo(FILE);
      assertThat(fetcher.fetch(server.url("/redirect-to/" + server.url("/file.bin"))).get())
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
    // The JDK's client asks once more by itself when a connection dies before its first byte.
    "/reset, CONNECTION_FAILED, 6",
    "/garbage, CONNECTION_FAILED, 3",
  })
  void givesEachFailureItsReasonAndRetriesOnlyWhatCanHeal(
      String path, RejectReason reason, int times) throws Exception {
    try (Fetcher fetcher = new Fetcher(settings(Duration.ofSeconds(10)))) {
      assertThat(rejection(fetcher.fetch(server.url(path)))).isEqualTo(reason);
      assertThat(server.asked(path)).isEqualTo(times);
    }
  }

  @ParameterizedTest
  @CsvSource({"/hang", "/drip"})
  void endsByTheDeadlineWhateverTheServerDoes(String path) throws Exception {
    try (Fetcher fetcher = new Fetcher(settings(Duration.ofMillis(700)))) {
      long start = System.nanoTime();
      assertThat(rejection(fetcher.fetch(server.url(path)))).isEqualTo(RejectReason.TIMEOUT);
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
    }
  }

  @Test
  void slowOnesDoNotHoldUpTheOthers() throws Exception {
    try (Fetcher fetcher = new Fetcher(settings(Duration.ofSeconds(3)))) {
      List<CompletableFuture<byte[]>> slow = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        slow.add(fetcher.fetch(server.url(i % 2 == 0 ? "/hang" : "/drip")));
      }
      assertThat(fetcher.fetch(server.url("/file.bin")).get(2, TimeUnit.SECONDS)).isEqualTo(FILE);
      for (CompletableFuture<byte[]> fetch : slow) {
        assertThat(rejection(fetch)).isEqualTo(RejectReason.TIMEOUT);
      }
    }
  }

  @Test
  void aHostThatIsNotThereIsUnknown() throws Exception {
    try (Fetcher fetcher = new Fetcher(settings(Duration.ofSeconds(10)))) {
      assertThat(rejection(fetcher.fetch("http://no-such-host.invalid/x")))
          .isEqualTo(RejectReason.UNKNOWN_HOST);
    }
  }

  @Test
  void aClosedPortIsAFailedConnection() throws Exception {
    String url = server.url("/file.bin");
    server.close();
    try (Fetcher fetcher = new Fetcher(settings(Duration.ofSeconds(10)))) {
      assertThat(rejection(fetcher.fetch(url))).isEqualTo(RejectReason.CONNECTION_FAILED);
    }
  }

  @Test
  void asksNoPrivateAddress() throws Exception {
    FetchSettings all = settings(Duration.ofSeconds(10));
    FetchSettings publicOnly =
        new FetchSettings(
            4,
            all.connectTimeout(),
            all.deadline(),
            all.maxBytes(),
            3,
            0,
            Duration.ZERO,
            Addresses.PUBLIC,
            "",
            "");
    try (Fetcher fetcher = new Fetcher(publicOnly)) {
      for (String host : List.of("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0")) {
        String url = server.url("/file.bin").replace("127.0.0.1", host);
        assertThat(rejection(fetcher.fetch(url))).as(url).isEqualTo(RejectReason.PRIVATE_ADDRESS);
      }
    }
    assertThat(server.connections()).isZero();
  }

  @Test
  void asksNoPrivateAddressAfterARedirectEither() throws Exception {
    InetAddress outside = InetAddress.getByName("127.0.0.1");
    try (TortureServer inside = new TortureServer("127.0.0.2").with("/secret", FILE);
        Fetcher fetcher = new Fetcher(settings(Duration.ofSeconds(10)), outside::equals)) {
      String url = server.url("/redirect-to/" + inside.url("/secret"));
      assertThat(rejection(fetcher.fetch(url))).isEqualTo(RejectReason.PRIVATE_ADDRESS);
      assertThat(server.connections()).isEqualTo(1);
      assertThat(inside.connections()).isZero();
    }
  }

  @Test
  void rewritesThePrefixThatIsConfigured() throws Exception {
    FetchSettings plain = settings(Duration.ofSeconds(10));
    FetchSettings rewriting =
        new FetchSettings(
            4,
            plain.connectTimeout(),
            plain.deadline(),
            plain.maxBytes(),
            3,
            0,
            Duration.ZERO,
            Addresses.ALL,
            "http://127.0.0.1:8765/",
            server.url("/"));
    try (Fetcher fetcher = new Fetcher(rewriting)) {
      assertThat(fetcher.fetch("http://127.0.0.1:8765/file.bin").get()).isEqualTo(FILE);
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

  private static FetchSettings settings(Duration deadline) {
    return new FetchSettings(
        32,
        Duration.ofSeconds(2),
        deadline,
        100_000,
        3,
        2,
        Duration.ofMillis(20),
        Addresses.ALL,
        "",
        "");
  }
}
