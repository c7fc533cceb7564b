package org.latentspark.image;

import java.io.IOException;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Predicate;
import javax.net.ssl.SSLException;
import org.latentspark.filter.RejectReason;
import org.latentspark.filter.RejectedException;
import org.latentspark.image.FetchSettings.Addresses;
import org.latentspark.pairs.ImageUrl;

/**
 * Fetches files over HTTP without a thread for each: the caller bounds how many are in flight.
 *
 * <p>A fetch ends by its deadline, whatever the server does. Connections are opened only to
 * addresses that have been checked, after each redirect too; see {@link HostAddresses}.
 */
public final class Fetcher implements AutoCloseable {
  private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
  private static final Set<Integer> GONE = Set.of(404, 410);
  private static final Set<Integer> FORBIDDEN = Set.of(401, 403, 407, 451);
  private static final Set<Integer> PASSING = Set.of(408, 425, 429, 500, 502, 503, 504);
  private static final int MAX_RESOLVERS = 64;

  private final FetchSettings settings;
  private final HostAddresses hosts;
  private final HttpTransport transport;
  private final ExecutorService resolvers;

  /** Creates a fetcher. */
  public Fetcher(FetchSettings settings) {
    this(
        settings,
        settings.addresses() == Addresses.ALL ? address -> true : PublicAddresses::isPublic,
        InetAddress::getAllByName);
  }

  Fetcher(FetchSettings settings, Predicate<InetAddress> allowed, HostAddresses.Lookup lookup) {
    this.settings = settings;
    this.hosts = new HostAddresses(lookup, allowed, settings.nameLifetime());
    this.transport = new HttpTransport(settings, hosts);
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
   * Starts to fetch {@code url}, and to make something of the file.
   *
   * @param use what becomes of the file; its memory counts as in use until then
   * @param executor runs {@code use}
   * @return its result, or a {@link RejectedException} as the (wrapped) cause of failure
   */
  @SuppressWarnings("FutureReturnValueIgnored") // closing cannot fail
  public <T> CompletableFuture<T> fetch(String url, Function<byte[], T> use, Executor executor) {
    long deadline = System.nanoTime() + settings.deadline().toNanos();
    CompletableFuture<File> file = attempt(url, 0, deadline);
    // Each exchange ends by the deadline; this one also ends the wait for a name or a thread.
    CompletableFuture<T> result =
        file.copy()
            .orTimeout(settings.deadline().toNanos(), TimeUnit.NANOSECONDS)
            .exceptionally(
                failure -> {
                  throw rejected(unwrap(failure));
                })
            .thenApplyAsync(fetched -> use.apply(fetched.bytes()), executor);
    result.whenComplete((any, failure) -> file.thenAccept(File::close));
    return result;
  }

  /** A file, and what holds its memory. */
  @SuppressWarnings("ArrayRecordComponent")
  private record File(byte[] bytes, AnswerConsumer holder) {
    void close() {
      holder.close();
    }
  }

  @SuppressWarnings("FutureReturnValueIgnored") // what settles an attempt is itself in the future
  private CompletableFuture<File> attempt(String url, int retry, long deadline) {
    return CompletableFuture.supplyAsync(() -> uri(settings.rewrite(url), deadline), resolvers)
        .thenCompose(uri -> follow(uri, 0, deadline))
        .handle((file, failure) -> settle(url, retry, deadline, file, unwrap(failure)))
        .thenCompose(next -> next);
  }

  /** Ends an attempt: with its file, with another attempt, or with the rejection of the pair. */
  private CompletableFuture<File> settle(
      String url, int retry, long deadline, File file, Throwable failure) {
    if (failure == null) {
      return CompletableFuture.completedFuture(file);
    }
    // Half of the pause by chance: those that failed together must not come back together.
    double share = 0.5 + ThreadLocalRandom.current().nextDouble() / 2;
    long pause = (long) (share * (settings.backoff().toNanos() << Math.min(retry, 20)));
    if (mayHeal(failure)
        && retry < settings.retries()
        && System.nanoTime() + pause - deadline < 0) {
      Executor later = CompletableFuture.delayedExecutor(pause, TimeUnit.NANOSECONDS, resolvers);
      return CompletableFuture.supplyAsync(() -> retry + 1, later)
          .thenCompose(next -> attempt(url, next, deadline));
    }
    return CompletableFuture.failedFuture(rejected(failure));
  }

  private static boolean mayHeal(Throwable failure) {
    if (failure instanceof UnknownHostException unknown) {
      return HostAddresses.mayHeal(unknown);
    }
    // A certificate does not get better.
    return failure instanceof IOException && !(failure instanceof SSLException);
  }

  private CompletableFuture<File> follow(URI uri, int redirects, long deadline) {
    prepare(uri);
    HttpTransport.Exchange exchange = transport.get(uri);
    return exchange
        .answer()
        .copy()
        .orTimeout(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS)
        .whenComplete(
            (answer, failure) -> {
              if (failure != null) {
                exchange.cancel();
                exchange.consumer().close();
              }
            })
        .thenComposeAsync(
            answer -> judge(uri, answer, exchange.consumer(), redirects, deadline), resolvers);
  }

  private CompletableFuture<File> judge(
      URI uri, Answer answer, AnswerConsumer holder, int redirects, long deadline) {
    int status = answer.status();
    if (status / 100 == 2 && answer.body().length > 0) {
      return CompletableFuture.completedFuture(new File(answer.body(), holder));
    }
    holder.close();
    if (status / 100 == 2) {
      throw new RejectedException(RejectReason.EMPTY_FILE, "status " + status);
    }
    if (REDIRECTS.contains(status)) {
      if (redirects == settings.maxRedirects()) {
        throw new RejectedException(
            RejectReason.BAD_REDIRECT, "more than " + settings.maxRedirects() + " redirects");
      }
      return follow(target(uri, answer.location()), redirects + 1, deadline);
    }
    if (PASSING.contains(status)) {
      throw new CompletionException(new StatusException(status));
    }
    RejectReason reason =
        GONE.contains(status)
            ? RejectReason.NOT_FOUND
            : FORBIDDEN.contains(status) ? RejectReason.FORBIDDEN : RejectReason.HTTP_ERROR;
    throw new RejectedException(reason, "status " + status);
  }

  private static URI target(URI uri, String location) {
    return ImageUrl.resolve(uri, location)
        .orElseThrow(
            () -> new RejectedException(RejectReason.BAD_REDIRECT, "to '" + location + "'"));
  }

  private static URI uri(String url, long deadline) {
    if (System.nanoTime() - deadline >= 0) {
      throw new RejectedException(RejectReason.TIMEOUT, "fetch.deadline");
    }
    return ImageUrl.parse(url)
        .orElseThrow(() -> new RejectedException(RejectReason.BAD_URL, "asks for " + url));
  }

  private void prepare(URI uri) {
    try {
      hosts.prepare(uri.getHost());
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
    if (failure instanceof SocketTimeoutException) {
      return new RejectedException(RejectReason.TIMEOUT, failure.getMessage());
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

  /** A RejectedException may also reach us as the cause of the client's own exceptions. */
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
    transport.close();
  }

  /** A status that another attempt may better. */
  private static final class StatusException extends IOException {
    private static final long serialVersionUID = 1L;

    StatusException(int status) {
      super("status " + status);
    }
  }
}
