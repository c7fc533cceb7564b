package org.latentspark.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * One tab of a headless Chromium, driven by the DevTools protocol
 * (https://chromedevtools.github.io/devtools-protocol/).
 */
final class Chromium implements AutoCloseable, WebSocket.Listener {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long PATIENCE_SECONDS = 180;

  private final Process process;
  private final WebSocket socket;
  private final StringBuilder received = new StringBuilder();
  private final Map<Integer, BlockingQueue<JsonNode>> answers = new ConcurrentHashMap<>();
  private final List<JsonNode> events = new CopyOnWriteArrayList<>();
  private String session;
  private int calls;

  /** Returns the browser on the PATH, by the names of the packages of Debian, Ubuntu and Google. */
  static Optional<Path> find() {
    return Stream.of("chromium", "chromium-browser", "google-chrome")
        .flatMap(
            name ->
                Stream.of(System.getenv("PATH").split(File.pathSeparator))
                    .map(folder -> Path.of(folder, name)))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /** Starts a browser whose files all lie in {@code folder}. */
  Chromium(Path program, Path folder) throws Exception {
    Path log = folder.resolve("chromium.log");
    process =
        new ProcessBuilder(
                program.toString(),
                "--headless=new",
                "--no-sandbox", // it does not start as root otherwise; the pages are our own
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--no-first-run",
                "--hide-scrollbars", // their width is not the page's
                "--remote-debugging-port=0",
                "--user-data-dir=" + folder.resolve("profile"),
                "about:blank")
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    socket =
        HttpClient.newHttpClient()
            .newWebSocketBuilder()
            .buildAsync(URI.create("ws://127.0.0.1:" + address(folder, log)), this)
            .get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    String tab =
        call("Target.createTarget", Map.of("url", "about:blank")).path("targetId").asText();
    session =
        call("Target.attachToTarget", Map.of("targetId", tab, "flatten", true))
            .path("sessionId")
            .asText();
    for (String domain : List.of("Page", "Runtime", "Log", "Network")) {
      call(domain + ".enable", Map.of());
    }
  }

  /** Returns the port and path that the browser writes to its profile when it listens. */
  private String address(Path folder, Path log) throws IOException, InterruptedException {
    Path file = folder.resolve("profile/DevToolsActivePort");
    for (long tries = 0; tries < PATIENCE_SECONDS * 10; tries++) {
      List<String> lines = Files.exists(file) ? Files.readAllLines(file) : List.of();
      if (lines.size() == 2) {
        return String.join("", lines);
      }
      if (!process.isAlive()) {
        break;
      }
      Thread.sleep(100);
    }
    process.destroyForcibly();
    throw new IllegalStateException("Chromium does not start: " + Files.readString(log));
  }

  /** Loads a page and forgets the events of earlier ones. */
  void open(String address) throws InterruptedException {
    events.clear();
    call("Page.navigate", Map.of("url", address));
    for (long tries = 0; events("Page.loadEventFired").isEmpty(); tries++) {
      if (tries == PATIENCE_SECONDS * 10) {
        throw new IllegalStateException(address + " does not load");
      }
      Thread.sleep(100);
    }
  }

  /** Returns the value of an expression of JavaScript, or of the promise that it is. */
  JsonNode evaluate(String expression) throws InterruptedException {
    JsonNode answer =
        call(
            "Runtime.evaluate",
            Map.of("expression", expression, "returnByValue", true, "awaitPromise", true));
    if (answer.has("exceptionDetails")) {
      throw new IllegalStateException(answer.path("exceptionDetails").toString());
    }
    return answer.path("result").path("value");
  }

  /** Calls a method of the protocol and returns its result. */
  JsonNode call(String method, Map<String, ?> parameters) throws InterruptedException {
    int id = ++calls;
    ObjectNode message = JSON.createObjectNode().put("id", id).put("method", method);
    message.set("params", JSON.valueToTree(parameters));
    if (session != null) {
      message.put("sessionId", session);
    }
    BlockingQueue<JsonNode> answer = new LinkedBlockingQueue<>();
    answers.put(id, answer);
    socket.sendText(message.toString(), true);
    JsonNode result = answer.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
    if (result == null || result.has("error")) {
      throw new IllegalStateException(method + " " + parameters + ": " + result);
    }
    return result.path("result");
  }

  /** Returns the parameters of the events of a method since the page was opened. */
  List<JsonNode> events(String method) {
    return events.stream()
        .filter(event -> event.path("method").asText().equals(method))
        .map(event -> event.path("params"))
        .toList();
  }

  @Override
  public CompletionStage<?> onText(WebSocket from, CharSequence text, boolean last) {
    received.append(text);
    from.request(1);
    if (!last) {
      return CompletableFuture.completedFuture(null);
    }
    try {
      JsonNode message = JSON.readTree(received.toString());
      received.setLength(0);
      if (message.has("id")) {
        answers.remove(message.path("id").asInt()).add(message);
      } else {
        events.add(message);
      }
      return CompletableFuture.completedFuture(null);
    } catch (IOException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  @Override
  public void close() throws InterruptedException {
    socket.abort();
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly().waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
  }
}
