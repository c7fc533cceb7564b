package org.latentspark.image;

import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import org.latentspark.filter.RejectReason;
import org.latentspark.filter.RejectedException;
import org.latentspark.image.FetchSettings.Addresses;
import org.latentspark.pairs.ImageUrl;

/**
 * Fetches files over HTTP without a thread for each: the caller bounds how many are in flight.
 *
 * <p>A fetch ends by its deadline, whatever the server does. Every address is checked before a
 * connection to it is opened, after each redirect too. The check and the connection share the JVM's
 * cache of names ({@code networkaddress.cache.ttl}, 30 s), so that a name cannot turn private in
 * between while that cache is on.
 */
public final class Fetcher implements AutoCloseable {
  private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
  private static final Set<Integer> GONE = Set.of(404, 410);
  private static final Set<Integer> FORBIDDEN = Set.of(401, 403, 407, 451);
  private static final int MAX_RESOLVERS = 64;

  static {
    // By default idle connections stay for 20 minutes: one for each of the hosts of a million URLs.
    if (System.getProperty("jdk.httpclient.keepalive.timeout") == null) {
      System.setProperty("jdk.httpclient.keepalive.timeout", "10");
    }
  }

  private final FetchSettings settings;
  private final Predicate<InetAddress> allowed;
  private final HttpClient client;
  private final ExecutorService resolvers;

  /** Creates a fetcher. */
  public Fetcher(FetchSettings settings) {
    this(
        settings,
        settings.addresses() == Addresses.ALL ? address -> true : PublicAddresses::isPublic);
  }

  Fetcher(FetchSettings settings, Predicate<InetAddress> allowed) {
    this.settings = settings;
    this.allowed = allowed;
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(settings.connectTimeout())
            .build();
    // Java resolves names by blocking; a name server that does not answer holds a thread for long.
    this.resolvers =
        Executors.newFixedThreadPool(
            Math.min(settings.parallelism(), MAX_RESOLVERS),
            work -> {
              Thread thread = new Thread(work, "resolve-host");
              thread.setDaemon(true);
              return thread;
            });
  }

  /**
   * Starts to fetch {@code url}.
   *
   * @return the file, or a {@link RejectedException} as the (wrapped) cause of failure
   */
  public CompletableFuture<byte[]> fetch(String url) {
    long deadline = System.nanoTime() + settings.deadline().toNanos();
    // Each exchange ends by the deadline; this one also ends the wait for a name or a thread.
    return attempt(url, 0, deadline)
        .copy()
        .orTimeout(settings.deadline().toNanos(), TimeUnit.NANOSECONDS)
        .exceptionally(
            failure -> {
              throw rejected(unwrap(failure));
            });
  }

  private CompletableFuture<byte[]> attempt(String url, int retry, long deadline) {
    return CompletableFuture.supplyAsync(() -> uri(settings.rewrite(url), deadline), resolvers)
        .thenCompose(uri -> follow(uri, 0, deadline))
        .handle((bytes, failure) -> settle(url, retry, deadline, bytes, unwrap(failure)))
        .thenCompose(next -> next);
  }

  /** Ends an attempt: with its file, with another attempt, or with the rejection of the pair. */
  private CompletableFuture<byte[]> settle(
      String url, int retry, long deadline, byte[] bytes, Throwable failure) {
    if (failure == null) {
      return CompletableFuture.completedFuture(bytes);
    }
    long pause = settings.backoff().toNanos() << Math.min(retry, 20);
    boolean mayHeal = failure instanceof IOException;
    if (mayHeal && retry < settings.retries() && System.nanoTime() + pause < deadline) {
      Executor later = CompletableFuture.delayedExecutor(pause, TimeUnit.NANOSECONDS, resolvers);
      return CompletableFuture.supplyAsync(() -> retry + 1, later)
          .thenCompose(next -> attempt(url, next, deadline));
    }
    return CompletableFuture.failedFuture(rejected(failure));
  }

  private CompletableFuture<byte[]> follow(URI uri, int redirects, long deadline) {
    requireAllowed(uri);
    HttpRequest request =
        HttpRequest.newBuilder(uri).header("User-Agent", "LatentSpark").GET().build();
    CompletableFuture<HttpResponse<byte[]>> exchange =
        client.sendAsync(request, LimitedBody.handler(settings.maxBytes()));
    return exchange
        .copy()
        .orTimeout(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS)
        .whenComplete(
            (response, failure) -> {
              if (unwrap(failure) instanceof TimeoutException) {
                exchange.cancel(true);
              }
            })
        .thenComposeAsync(response -> judge(uri, response, redirects, deadline), resolvers);
  }

  private CompletableFuture<byte[]> judge(
      URI uri, HttpResponse<byte[]> response, int redirects, long deadline) {
    int status = response.statusCode();
    if (status / 100 == 2) {
      if (response.body().length == 0) {
        throw new RejectedException(RejectReason.EMPTY_FILE, "status " + status);
      }
      return CompletableFuture.completedFuture(response.body());
    }
    if (REDIRECTS.contains(status)) {
      if (redirects == settings.maxRedirects()) {
        throw new RejectedException(
            RejectReason.BAD_REDIRECT, "more than " + settings.maxRedirects() + " redirects");
      }
      return follow(target(uri, response), redirects + 1, deadline);
    }
    if (status == 429 || status >= 500) {
      throw new CompletionException(new StatusException(status));
    }
    RejectReason reason =
        GONE.contains(status)
            ? RejectReason.NOT_FOUND
            : FORBIDDEN.contains(status) ? RejectReason.FORBIDDEN : RejectReason.HTTP_ERROR;
    throw new RejectedException(reason, "status " + status);
  }

  private static URI target(URI uri, HttpResponse<byte[]> response) {
    String location = response.headers().firstValue("location").orElse("");
    return ImageUrl.resolve(uri, location)
        .orElseThrow(
            () -> new RejectedException(RejectReason.BAD_REDIRECT, "to '" + location + "'"));
  }

  private static URI uri(String url, long deadline) {
    if (System.nanoTime() >= deadline) {
      throw new RejectedException(RejectReason.TIMEOUT, "fetch.deadline");
    }
    return ImageUrl.parse(url)
        .orElseThrow(() -> new RejectedException(RejectReason.BAD_URL, "asks for " + url));
  }

  private void requireAllowed(URI uri) {
    try {
      for (InetAddress address : InetAddress.getAllByName(uri.getHost())) {
        if (!allowed.test(address)) {
          throw new RejectedException(
              RejectReason.PRIVATE_ADDRESS, uri.getHost() + " is " + address.getHostAddress());
        }
      }
    } catch (UnknownHostException e) {
      throw new CompletionException(e);
    }
  }

  private static RejectedException rejected(Throwable failure) {
    if (failure instanceof RejectedException rejected) {
      return rejected;
    }
    if (failure instanceof TimeoutException) {
      return new RejectedException(RejectReason.TIMEOUT, "fetch.deadline");
    }
    if (failure instanceof UnknownHostException) {
      return new RejectedException(RejectReason.UNKNOWN_HOST, failure.getMessage());
    }
    if (failure instanceof StatusException) {
      return new RejectedException(RejectReason.HTTP_ERROR, failure.getMessage());
    }
    if (failure instanceof IllegalArgumentException) {
      return new RejectedException(RejectReason.BAD_URL, failure.getMessage());
    }
    return new RejectedException(RejectReason.CONNECTION_FAILED, failure.toString());
  }

  /** A RejectedException may also reach us as the cause of the client's own IOException. */
  private static Throwable unwrap(Throwable failure) {
    Throwable cause = failure;
    while (cause != null
        && !(cause instanceof RejectedException)
        && cause.getCause() != null
        && (cause instanceof CompletionException
            || cause.getCause() instanceof RejectedException)) {
      cause = cause.getCause();
    }
    return cause;
  }

  /** Ends the fetches in flight. */
  @Override
  public void close() {
    resolvers.shutdownNow();
  }

  /** A status that another attempt may better. */
  private static final class StatusException extends IOException {
    private static final long serialVersionUID = 1L;

    StatusException(int status) {
      super("status " + status);
    }
  }
}
