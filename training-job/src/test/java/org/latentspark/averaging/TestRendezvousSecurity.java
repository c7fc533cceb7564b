package org.latentspark.averaging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.latentspark.exchange.Secret;

/** Strangers knock at the driver, by real sockets. */
@Tag("chaos")
class TestRendezvousSecurity {
  private static final Duration DEADLINE = Duration.ofMinutes(2);
  private final ExecutorService threads = Executors.newCachedThreadPool();

  @AfterEach
  void endThreads() {
    threads.shutdownNow();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void strangerCannotConnectToTheDriver(boolean encrypted) {
    SparkConf conf = conf(encrypted);
    Secret secret = Secret.draw(conf);
    try (Rendezvous rendezvous = new Rendezvous(1, secret, DEADLINE, report -> {})) {
      Secret wrong = Secret.draw(conf);
      assertThatThrownBy(
              () -> DriverLink.open(wrong, "127.0.0.1", rendezvous.port(), DEADLINE).started(0))
          .isInstanceOf(RuntimeException.class);
      assertThat(rendezvous.started()).as("workers that count").isZero();
      try (DriverLink right = DriverLink.open(secret, "127.0.0.1", rendezvous.port(), DEADLINE)) {
        right.started(0);
      }
      assertThat(rendezvous.started()).isEqualTo(1);
    }
  }

  @Test
  void oneThatDoesNotEncryptIsNotLetInWhereEncryptionIsAsked() {
    Secret secret = Secret.draw(conf(true));
    Secret plain = new Secret(secret.key(), Secret.draw(conf(false)).crypto());
    try (Rendezvous rendezvous = new Rendezvous(1, secret, DEADLINE, report -> {})) {
      assertThatThrownBy(
              () -> DriverLink.open(plain, "127.0.0.1", rendezvous.port(), DEADLINE).started(0))
          .isInstanceOf(RuntimeException.class);
      assertThat(rendezvous.started()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void listenerReadsNothingWhereEncryptionIsAsked(boolean encrypted) throws Exception {
    Secret secret = Secret.draw(conf(encrypted));
    WorkerFailure failure = new WorkerFailure(WorkerFailure.Kind.OTHER, 0, "host", "overheard");
    ByteArrayOutputStream heard = new ByteArrayOutputStream();
    try (Rendezvous rendezvous = new Rendezvous(1, secret, DEADLINE, report -> {});
        ServerSocket tap = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      threads.submit(() -> listen(tap, rendezvous.port(), heard));
      try (DriverLink link = DriverLink.open(secret, "127.0.0.1", tap.getLocalPort(), DEADLINE)) {
        link.fail(failure);
      }
      assertThat(rendezvous.failures()).containsExactly(failure);
    }
    String text = heard.toString(StandardCharsets.ISO_8859_1);
    assertThat(text.contains("overheard")).as("read on the way").isEqualTo(!encrypted);
    assertThat(text).doesNotContain(secret.key());
  }

  private static SparkConf conf(boolean encrypted) {
    return new SparkConf(false).set("spark.network.crypto.enabled", Boolean.toString(encrypted));
  }

  /** Passes one connection on to a port and keeps what the one who connected said. */
  private static Void listen(ServerSocket tap, int port, OutputStream heard) throws IOException {
    try (Socket worker = tap.accept();
        Socket driver = new Socket(InetAddress.getLoopbackAddress(), port)) {
      Thread back = new Thread(() -> copy(driver, worker, OutputStream.nullOutputStream()));
      back.setDaemon(true);
      back.start();
      copy(worker, driver, heard);
    }
    return null;
  }

  private static void copy(Socket from, Socket to, OutputStream heard) {
    try {
      InputStream in = from.getInputStream();
      byte[] bytes = new byte[8192];
      for (int length = in.read(bytes); length >= 0; length = in.read(bytes)) {
        heard.write(bytes, 0, length);
        to.getOutputStream().write(bytes, 0, length);
      }
    } catch (IOException e) {
      // One side has closed: the conversation is over.
    }
  }
}
