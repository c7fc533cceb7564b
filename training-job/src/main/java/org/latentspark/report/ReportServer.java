package org.latentspark.report;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.latentspark.cli.InputException;
import org.latentspark.latents.Digests;

/**
 * Serves the page as it is by now, and under {@code /state} a fingerprint of it that the open page
 * asks for, to load itself anew when there is more to show. Nothing else can be read from it.
 */
final class ReportServer implements AutoCloseable {
  /** Readers that come at once share a page of this age. */
  private static final long FRESH_NANOS = 2_000_000_000L;

  private final HttpServer server;
  private final ExecutorService threads = Executors.newFixedThreadPool(2);
  private final Maker maker;
  private final CountDownLatch closed = new CountDownLatch(1);
  private String page;
  private long made;

  /** Makes the page. */
  interface Maker {
    String page() throws IOException;
  }

  private ReportServer(HttpServer server, Maker maker) {
    this.server = server;
    this.maker = maker;
  }

  /**
   * Starts to serve what {@code maker} makes, once it has made one page.
   *
   * @param port 0 for any that is free
   */
  static ReportServer start(String host, int port, Maker maker) throws IOException {
    InetSocketAddress address = new InetSocketAddress(host, port);
    HttpServer http;
    try {
      http = HttpServer.create(address, 0);
    } catch (IOException e) {
      throw new IOException(
          "serve.host = %s, serve.port = %d: %s".formatted(host, port, e.getMessage()), e);
    }
    ReportServer server = new ReportServer(http, maker);
    try {
      server.page();
    } catch (IOException | RuntimeException e) {
      server.close();
      throw e;
    }
    http.createContext("/", server::answer);
    http.setExecutor(server.threads);
    http.start();
    return server;
  }

  String address() {
    InetSocketAddress address = server.getAddress();
    return "http://%s:%d/".formatted(address.getHostString(), address.getPort());
  }

  /** Waits until the server is closed. */
  void await() throws InterruptedException {
    closed.await();
  }

  private synchronized String page() throws IOException {
    if (page == null || System.nanoTime() - made > FRESH_NANOS) {
      page = maker.page();
      made = System.nanoTime();
    }
    return page;
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String path = exchange.getRequestURI().getPath();
      if (!exchange.getRequestMethod().equals("GET")) {
        send(exchange, 405, "text/plain", "Only GET is answered\n");
      } else if (!path.equals("/") && !path.equals("/state")) {
        send(exchange, 404, "text/plain", "There is only / and /state\n");
      } else {
        answer(exchange, path.equals("/state"));
      }
    }
  }

  private void answer(HttpExchange exchange, boolean stateOnly) throws IOException {
    String shown;
    try {
      shown = page();
    } catch (InputException | IOException e) {
      // What is being written may be gone for a moment; the open page asks again.
      send(exchange, 503, "text/plain", e.getMessage() + "\n");
      return;
    }
    if (stateOnly) {
      send(exchange, 200, "text/plain", state(shown));
    } else {
      send(exchange, 200, "text/html", shown);
    }
  }

  /** Returns a fingerprint of a page but for the time at which it was made. */
  static String state(String page) {
    String lasting = page.substring(0, Math.max(0, page.indexOf("<footer>")));
    String data = page.substring(Math.max(0, page.indexOf("id=\"data\"")));
    return Digests.sha256Hex((lasting + data).getBytes(StandardCharsets.UTF_8));
  }

  private static void send(HttpExchange exchange, int code, String type, String text)
      throws IOException {
    byte[] body = text.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", type + "; charset=utf-8");
    exchange.getResponseHeaders().set("Cache-Control", "no-store");
    exchange.sendResponseHeaders(code, body.length);
    exchange.getResponseBody().write(body);
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
    closed.countDown();
  }
}
