package org.latentspark.image;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPOutputStream;

/** An HTTP server on a real socket that behaves as badly as the web does. */
public final class TortureServer implements AutoCloseable {
  /** In milliseconds; closing the server ends it. */
  private static final long LONG = 3_600_000;

  private static final byte[] BOMB = gzip(new byte[10 << 20]);

  private final ServerSocket socket;
  private final ExecutorService workers = Executors.newCachedThreadPool();
  private final Map<String, byte[]> files = new ConcurrentHashMap<>();
  private final Map<String, AtomicInteger> asked = new ConcurrentHashMap<>();
  private final AtomicInteger connections = new AtomicInteger();
  private final AtomicInteger waiting = new AtomicInteger();
  private final AtomicInteger mostWaiting = new AtomicInteger();

  /** Starts a server on a free port of {@code address}. */
  public TortureServer(String address) throws IOException {
    socket = new ServerSocket(0, 4096, InetAddress.getByName(address));
    workers.execute(this::accept);
  }

  /** Adds a file. */
  public TortureServer with(String path, byte[] content) {
    files.put(path, content);
    return this;
  }

  /** Returns the URL of {@code path}. */
  public String url(String path) {
    return "http://%s:%d%s"
        .formatted(socket.getInetAddress().getHostAddress(), socket.getLocalPort(), path);
  }

  /** Returns how often {@code path} was asked for. */
  public int asked(String path) {
    return asked.getOrDefault(path, new AtomicInteger()).get();
  }

  /** Returns how many connections were opened. */
  public int connections() {
    return connections.get();
  }

  /** Returns how many requests for {@code /slow/} waited at once at most. */
  public int mostAtOnce() {
    return mostWaiting.get();
  }

  /** Returns the file of {@code path}, whatever its query says unless that has a file too. */
  private byte[] file(String path) {
    return files.getOrDefault(path, files.get(withoutQuery(path)));
  }

  private static String withoutQuery(String path) {
    return path.replaceFirst("\\?.*", "");
  }

  private void accept() {
    while (!socket.isClosed()) {
      try {
        Socket connection = socket.accept();
        connections.incrementAndGet();
        workers.execute(() -> serve(connection));
      } catch (IOException e) {
        return;
      }
    }
  }

  private void serve(Socket connection) {
    try (connection) {
      BufferedReader in =
          new BufferedReader(
              new InputStreamReader(connection.getInputStream(), StandardCharsets.ISO_8859_1));
      String request = in.readLine();
      if (request == null) {
        return;
      }
      while (!in.readLine().isEmpty()) {
        // Headers do not matter here.
      }
      String path = request.split(" ")[1];
      int times = asked.computeIfAbsent(path, any -> new AtomicInteger()).incrementAndGet();
      answer(path, times, connection);
    } catch (IOException | InterruptedException e) {
      // The client hung up, as it should.
    }
  }

  private void answer(String path, int times, Socket connection)
      throws IOException, InterruptedException {
    OutputStream out = connection.getOutputStream();
    if (path.startsWith("/status/")) {
      status(out, withoutQuery(path).substring(8), "sorry");
    } else if (path.startsWith("/redirect-to/")) {
      redirect(out, URLDecoder.decode(path.substring(13), StandardCharsets.US_ASCII));
    } else if (path.startsWith("/robots/")) {
      byte[] file = file("/file.bin");
      String tag = URLDecoder.decode(path.substring(8), StandardCharsets.US_ASCII);
      head(out, "200", "X-Robots-Tag: " + tag + "\r\nContent-Length: " + file.length + "\r\n");
      out.write(file);
    } else if (path.startsWith("/slow/")) {
      // Over before the answer: with that in its hands the client may ask the next, at once.
      mostWaiting.accumulateAndGet(waiting.incrementAndGet(), Math::max);
      Thread.sleep(200);
      waiting.decrementAndGet();
      ok(out, file("/file.bin"));
    } else if (path.startsWith("/flaky/")) {
      if (times < 3) {
        status(out, "500", "not yet");
      } else {
        ok(out, file(path.substring(6)));
      }
    } else {
      switch (withoutQuery(path)) {
        case "/loop" -> redirect(out, url("/loop"));
        case "/relative" -> redirect(out, "/file.bin");
        case "/hang" -> Thread.sleep(LONG);
        case "/drip" -> {
          head(out, "200", "Content-Type: image/jpeg\r\nContent-Length: 100000\r\n");
          while (true) {
            out.write(0xff);
            out.flush();
            Thread.sleep(50);
          }
        }
        case "/endless" -> {
          head(out, "200", "Content-Type: image/jpeg\r\n");
          byte[] chunk = new byte[8192];
          while (true) {
            out.write(chunk);
          }
        }
        case "/claims-10-gb" -> {
          head(out, "200", "Content-Length: 10000000000\r\n");
          out.write(1);
          out.flush();
          Thread.sleep(LONG);
        }
        case "/lies" -> {
          head(out, "200", "Content-Length: 1000\r\n");
          out.write(new byte[10]);
        }
        case "/reset" -> connection.setSoLinger(true, 0);
        case "/garbage" -> out.write("I am no HTTP\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        case "/gzip-bomb" -> {
          String headers = "Content-Encoding: gzip\r\nContent-Length: " + BOMB.length + "\r\n";
          head(out, "200", "Content-Type: image/jpeg\r\n" + headers);
          out.write(BOMB);
        }
        case "/empty" -> head(out, "200", "Content-Length: 0\r\n");
        default -> {
          byte[] file = file(path);
          if (file == null) {
            status(out, "404", "not here");
          } else {
            ok(out, file);
          }
        }
      }
    }
    out.flush();
  }

  private static byte[] gzip(byte[] content) {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
      out.write(content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return packed.toByteArray();
  }

  private static void ok(OutputStream out, byte[] file) throws IOException {
    head(out, "200", "Content-Type: image/jpeg\r\nContent-Length: " + file.length + "\r\n");
    out.write(file);
  }

  private static void redirect(OutputStream out, String target) throws IOException {
    head(out, "302", "Location: " + target + "\r\nContent-Length: 0\r\n");
  }

  private static void status(OutputStream out, String code, String text) throws IOException {
    head(out, code, "Content-Length: " + text.length() + "\r\n");
    out.write(text.getBytes(StandardCharsets.US_ASCII));
  }

  private static void head(OutputStream out, String code, String headers) throws IOException {
    String head = "HTTP/1.1 " + code + " Because\r\nConnection: close\r\n" + headers + "\r\n";
    out.write(head.getBytes(StandardCharsets.US_ASCII));
  }

  @Override
  public void close() throws IOException {
    try {
      socket.close();
    } catch (SocketException e) {
      throw new IOException(e);
    } finally {
      workers.shutdownNow();
    }
  }
}
