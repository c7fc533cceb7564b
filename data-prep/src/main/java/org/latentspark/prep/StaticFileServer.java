package org.latentspark.prep;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Serves the files of a folder over HTTP on a loopback port, so that the sample pairs can be
 * fetched as pairs on the web are.
 */
public final class StaticFileServer implements AutoCloseable {
  private static final int THREADS = 4;

  private final Path root;
  private final HttpServer server;
  private final ExecutorService workers;

  private StaticFileServer(Path root, HttpServer server, ExecutorService workers) {
    this.root = root;
    this.server = server;
    this.workers = workers;
  }

  /**
   * Starts to serve {@code folder}.
   *
   * @param port port on the loopback address, 0 for any that is free
   */
  public static StaticFileServer start(Path folder, int port) throws IOException {
    Path root = folder.toRealPath();
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 128);
    ExecutorService workers =
        Executors.newFixedThreadPool(
            THREADS,
            work -> {
              Thread thread = new Thread(work, "static-file-server");
              thread.setDaemon(true);
              return thread;
            });
    StaticFileServer files = new StaticFileServer(root, server, workers);
    server.setExecutor(workers);
    server.createContext("/", files::serve);
    server.start();
    return files;
  }

  /** Returns the address of the folder, such as {@code http://127.0.0.1:8765/}. */
  public String url() {
    return "http://%s:%d/"
        .formatted(
            server.getAddress().getAddress().getHostAddress(), server.getAddress().getPort());
  }

  private void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      Path file = root.resolve(exchange.getRequestURI().getPath().substring(1)).normalize();
      // Neither ".." nor a link may lead out of the folder.
      if (!Files.isRegularFile(file) || !file.toRealPath().startsWith(root)) {
        exchange.sendResponseHeaders(404, -1);
        return;
      }
      byte[] bytes = Files.readAllBytes(file);
      exchange.sendResponseHeaders(200, bytes.length == 0 ? -1 : bytes.length);
      exchange.getResponseBody().write(bytes);
    }
  }

  @Override
  public void close() {
    server.stop(0);
    workers.shutdownNow();
  }
}
