package org.latentspark.retrain;

import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Tells the outcome to a webhook and a command.
 *
 * <p>The webhook's address often is a secret in itself, so it comes by the environment and is never
 * shown: arguments stand in process lists and in Spark's event log. A notification that fails is
 * told on the error stream and does not change the outcome.
 */
final class Notifier {
  /** Environment variable with the address that the outcome is posted to as JSON. */
  static final String WEBHOOK = "LATENTSPARK_WEBHOOK";

  /** Environment variable with a token for its Authorization header. */
  static final String TOKEN = "LATENTSPARK_WEBHOOK_TOKEN";

  private final Map<String, String> environment;
  private final String command;
  private final Duration timeout;

  Notifier(Map<String, String> environment, String command, Duration timeout) {
    this.environment = environment;
    this.command = command;
    this.timeout = timeout;
  }

  static Notifier of(RetrainSettings settings, Map<String, String> environment) {
    return new Notifier(environment, settings.command(), settings.timeout());
  }

  void tell(Outcome outcome) throws IOException {
    byte[] body = Registry.JSON.writeValueAsBytes(outcome);
    String webhook = environment.getOrDefault(WEBHOOK, "");
    if (!webhook.isEmpty()) {
      attempt("webhook", () -> post(webhook, body));
    }
    if (!command.isEmpty()) {
      attempt("command", () -> run(body));
    }
  }

  private interface Way {
    String tell() throws Exception;
  }

  /** Tells one way; {@link Way#tell} returns what went wrong, "" for nothing. */
  private static void attempt(String name, Way way) {
    String problem;
    try {
      problem = way.tell();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      problem = "interrupted";
    } catch (Exception e) {
      // The message may hold the address.
      problem = e.getClass().getSimpleName();
    }
    if (!problem.isEmpty()) {
      System.err.println("retrain: the " + name + " was not told: " + problem);
    }
  }

  private String post(String webhook, byte[] body) throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(webhook))
            .timeout(timeout)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofByteArray(body));
    String token = environment.getOrDefault(TOKEN, "");
    if (!token.isEmpty()) {
      request.header("Authorization", "Bearer " + token);
    }
    HttpClient client = HttpClient.newBuilder().connectTimeout(timeout).build();
    int status = client.send(request.build(), HttpResponse.BodyHandlers.discarding()).statusCode();
    return status / 100 == 2 ? "" : "it answered " + status;
  }

  private String run(byte[] body) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder("sh", "-c", command)
            .redirectOutput(ProcessBuilder.Redirect.INHERIT)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (OutputStream in = process.getOutputStream()) {
      in.write(body);
    } catch (IOException e) {
      // A command need not read what it is told.
    }
    if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
      process.destroyForcibly();
      return "it ran past notify.timeout";
    }
    return process.exitValue() == 0 ? "" : "it ended with " + process.exitValue();
  }
}
