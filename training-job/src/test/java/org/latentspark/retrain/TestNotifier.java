package org.latentspark.retrain;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestNotifier {
  private static final String SECRET = "T0PSECRET";
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final Outcome OUTCOME =
      new Outcome("promoted", "models", "000002", "000002", "better");

  @TempDir private Path folder;

  @Test
  void webhookGetsTheOutcomeAndTheToken() throws Exception {
    List<String> told = new CopyOnWriteArrayList<>();
    HttpServer server = server(200, told);
    try {
      assertThat(tell(environment(server), "")).as("error stream").isEmpty();
    } finally {
      server.stop(0);
    }
    assertThat(told).hasSize(1);
    assertThat(told.get(0)).startsWith("/" + SECRET + " Bearer " + SECRET + " ");
    String body = told.get(0).substring(told.get(0).indexOf('{'));
    assertThat(Registry.JSON.readValue(body, Outcome.class)).isEqualTo(OUTCOME);
  }

  @Test
  void failureIsToldWithoutTheAddress() throws Exception {
    HttpServer server = server(500, new CopyOnWriteArrayList<>());
    Map<String, String> environment = environment(server);
    try {
      assertThat(tell(environment, "")).contains("answered 500").doesNotContain(SECRET);
    } finally {
      server.stop(0);
    }
    assertThat(tell(environment, "")).contains("was not told").doesNotContain(SECRET);
    assertThat(tell(Map.of(Notifier.WEBHOOK, "no address " + SECRET), ""))
        .contains("was not told")
        .doesNotContain(SECRET);
  }

  @Test
  void commandReadsTheOutcomeAndItsFailureIsTold() throws Exception {
    Path file = folder.resolve("told.json");
    assertThat(tell(Map.of(), "cat > '" + file + "'")).isEmpty();
    assertThat(Registry.JSON.readValue(Files.readString(file), Outcome.class)).isEqualTo(OUTCOME);
    assertThat(tell(Map.of(), "exit 7")).contains("command").contains("ended with 7");
  }

  private static String tell(Map<String, String> environment, String command) throws Exception {
    PrintStream before = System.err;
    ByteArrayOutputStream errors = new ByteArrayOutputStream();
    System.setErr(new PrintStream(errors, true, StandardCharsets.UTF_8));
    try {
      new Notifier(environment, command, TIMEOUT).tell(OUTCOME);
    } finally {
      System.setErr(before);
    }
    return errors.toString(StandardCharsets.UTF_8);
  }

  private static Map<String, String> environment(HttpServer server) {
    String address = "http://127.0.0.1:" + server.getAddress().getPort() + "/" + SECRET;
    return Map.of(Notifier.WEBHOOK, address, Notifier.TOKEN, SECRET);
  }

  private static HttpServer server(int status, List<String> told) throws Exception {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          String body =
              new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
          told.add(
              exchange.getRequestURI()
                  + " "
                  + exchange.getRequestHeaders().getFirst("Authorization")
                  + " "
                  + body);
          exchange.sendResponseHeaders(status, -1);
          exchange.close();
        });
    server.start();
    return server;
  }
}
