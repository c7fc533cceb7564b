package org.latentspark.image;

import java.net.URI;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import org.apache.hc.client5.http.async.methods.SimpleHttpRequest;
import org.apache.hc.client5.http.async.methods.SimpleRequestBuilder;
import org.apache.hc.client5.http.async.methods.SimpleRequestProducer;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.config.TlsConfig;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManagerBuilder;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.config.Http1Config;
import org.apache.hc.core5.http2.HttpVersionPolicy;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.reactor.IOReactorConfig;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;

/** Single requests over HTTP/1.1, without retries, redirects or cookies, on two threads. */
final class HttpTransport implements AutoCloseable {
  private static final int IO_THREADS = 2;
  private static final int MAX_HEADERS = 200;
  private static final int MAX_HEADER_LENGTH = 16 << 10;

  /** At a time, from a socket. */
  private static final int READ_BYTES = 16 << 10;

  private static final TimeValue IDLE = TimeValue.ofSeconds(10);

  /** How often timeouts are looked for. */
  private static final TimeValue TICK = TimeValue.ofMilliseconds(100);

  private final FetchSettings settings;
  private final BodyMemory memory;
  private final CloseableHttpAsyncClient client;

  HttpTransport(FetchSettings settings, HostAddresses hosts) {
    this.settings = settings;
    this.memory = new BodyMemory(settings.memory(), settings.parallelism(), settings.maxBytes());
    this.client =
        HttpAsyncClients.custom()
            .setConnectionManager(
                PoolingAsyncClientConnectionManagerBuilder.create()
                    .setDnsResolver(hosts)
                    .setMaxConnTotal(settings.parallelism())
                    .setMaxConnPerRoute(Math.min(settings.perHost(), settings.parallelism()))
                    .setDefaultConnectionConfig(
                        ConnectionConfig.custom()
                            .setConnectTimeout(timeout(settings.connectTimeout()))
                            .setSocketTimeout(timeout(settings.readTimeout()))
                            .build())
                    .setDefaultTlsConfig(
                        TlsConfig.custom()
                            .setHandshakeTimeout(timeout(settings.connectTimeout()))
                            .setVersionPolicy(HttpVersionPolicy.FORCE_HTTP_1)
                            .build())
                    .build())
            .setIOReactorConfig(
                IOReactorConfig.custom()
                    .setIoThreadCount(IO_THREADS)
                    .setSelectInterval(TICK)
                    .build())
            .setHttp1Config(
                Http1Config.custom()
                    .setBufferSize(READ_BYTES)
                    .setInitialWindowSize(AnswerConsumer.WINDOW)
                    .setMaxHeaderCount(MAX_HEADERS)
                    .setMaxLineLength(MAX_HEADER_LENGTH)
                    .build())
            .setDefaultRequestConfig(
                RequestConfig.custom()
                    .setConnectionRequestTimeout(timeout(settings.deadline()))
                    .setResponseTimeout(timeout(settings.readTimeout()))
                    .build())
            .setUserAgent("LatentSpark")
            .disableAutomaticRetries()
            .disableRedirectHandling()
            .disableCookieManagement()
            .disableAuthCaching()
            .evictIdleConnections(IDLE)
            .build();
    client.start();
  }

  private static Timeout timeout(Duration duration) {
    return Timeout.of(duration);
  }

  /**
   * One request on its way.
   *
   * @param consumer what collects its answer, and then has to be closed
   * @param future for cancelling it
   */
  record Exchange(AnswerConsumer consumer, Future<Answer> future) {
    CompletableFuture<Answer> answer() {
      return consumer.answer();
    }

    void cancel() {
      future.cancel(true);
      // An exchange that still waits for its connection tells its consumer nothing.
      consumer.answer().cancel(false);
    }
  }

  /** Starts to ask for {@code uri}. */
  Exchange get(URI uri) {
    AnswerConsumer consumer = new AnswerConsumer(settings.maxBytes(), settings.robots(), memory);
    SimpleHttpRequest request = SimpleRequestBuilder.get(uri).build();
    Future<Answer> future =
        client.execute(
            SimpleRequestProducer.create(request),
            consumer,
            new FutureCallback<>() {
              @Override
              public void completed(Answer answer) {
                // The consumer has it.
              }

              @Override
              public void failed(Exception cause) {
                consumer.failed(cause);
              }

              @Override
              public void cancelled() {
                consumer.answer().cancel(false);
              }
            });
    return new Exchange(consumer, future);
  }

  @Override
  public void close() {
    client.close(CloseMode.IMMEDIATE);
  }
}
