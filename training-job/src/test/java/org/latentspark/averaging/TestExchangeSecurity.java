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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.spark.SparkConf;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.latentspark.tensor.Tensors;

/** Strangers knock at the driver and at the workers, by real sockets. */
@Tag("chaos")
class TestExchangeSecurity {
  private static final Duration DEADLINE = Duration.ofMinutes(2);
  private static final long SEED = 20261123;
  private static final int WORKERS = 3;
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
    try (Rendezvous rendezvous = new Rendezvous(1, secret, DEADLINE)) {
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
    try (Rendezvous rendezvous = new Rendezvous(1, secret, DEADLINE)) {
      assertThatThrownBy(
              () -> DriverLink.open(plain, "127.0.0.1", rendezvous.port(), DEADLINE).started(0))
          .isInstanceOf(RuntimeException.class);
      assertThat(rendezvous.started()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void exchangeGoesOnAmongStrangers(boolean encrypted) throws Exception {
    SparkConf conf = conf(encrypted);
    Secret secret = Secret.draw(conf);
    int count = 3 * WORKERS * Ring.SEGMENT + 7;
    List<Socket> idle = new ArrayList<>();
    CountDownLatch knocked = new CountDownLatch(1);
    try (Rendezvous rendezvous = new Rendezvous(WORKERS, secret, DEADLINE)) {
      List<Future<float[]>> sums = new ArrayList<>();
      for (int rank = 0; rank < WORKERS; rank++) {
        int own = rank;
        sums.add(threads.submit(() -> sum(secret, rendezvous.port(), own, count, idle, knocked)));
      }
      // While the workers wait at the start of their exchange.
      while (portsOf(idle).size() < WORKERS) {
        Thread.sleep(20);
      }
      Random random = new Random(SEED);
      for (int port : portsOf(idle)) {
        knock(port, random);
        Secret wrong = Secret.draw(conf);
        try (PeerNetwork stranger = new PeerNetwork(wrong, DEADLINE)) {
          assertThatThrownBy(() -> stranger.connect("127.0.0.1", port))
              .as("a stranger at port %d", port)
              .isInstanceOf(RuntimeException.class);
        }
      }
      knocked.countDown();
      float[] first = sums.get(0).get(DEADLINE.toSeconds(), TimeUnit.SECONDS);
      for (int place = 0; place < count; place += 1013) {
        assertThat(first[place]).as("sum at %d", place).isEqualTo(3 * (place % 1000) + 3f);
      }
      for (Future<float[]> sum : sums) {
        assertThat(Arrays.equals(sum.get(), first)).as("alike").isTrue();
      }
    } finally {
      for (Socket socket : idle) {
        socket.close();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void listenerReadsNothingWhereEncryptionIsAsked(boolean encrypted) throws Exception {
    Secret secret = Secret.draw(conf(encrypted));
    WorkerFailure failure = new WorkerFailure(WorkerFailure.Kind.OTHER, 0, "host", "overheard");
    ByteArrayOutputStream heard = new ByteArrayOutputStream();
    try (Rendezvous rendezvous = new Rendezvous(1, secret, DEADLINE);
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

  @Test
  void secretIsNotPrinted() {
    Secret secret = Secret.draw(conf(false));
    assertThat(secret.toString()).doesNotContain(secret.key());
    assertThat(secret.nameOf("nccl")).doesNotContain(secret.key());
    assertThat(Secret.draw(conf(false)).key()).isNotEqualTo(secret.key());
  }

  private static SparkConf conf(boolean encrypted) {
    return new SparkConf(false).set("spark.network.crypto.enabled", Boolean.toString(encrypted));
  }

  /** Joins, lets a stranger connect to the own port and say nothing, and sums. */
  private static float[] sum(
      Secret secret, int port, int rank, int count, List<Socket> idle, CountDownLatch knocked)
      throws Exception {
    try (DriverLink driver = DriverLink.open(secret, "127.0.0.1", port, DEADLINE)) {
      Seat seat = new Seat(driver, "127.0.0.1", rank, WORKERS, Place.CPU, () -> false);
      try (PointerScope scope = new PointerScope();
          Ring ring = Ring.join(seat, DEADLINE)) {
        synchronized (idle) {
          idle.add(new Socket(InetAddress.getLoopbackAddress(), ring.port()));
        }
        knocked.await();
        float[] values = new float[count];
        for (int place = 0; place < count; place++) {
          values[place] = place % 1000 + rank;
        }
        Tensor vector = Tensors.of(values, count);
        ring.sum(vector);
        return Tensors.floats(vector);
      }
    }
  }

  private static List<Integer> portsOf(List<Socket> sockets) {
    synchronized (sockets) {
      return sockets.stream().map(Socket::getPort).toList();
    }
  }

  /** Says things to a port that no worker would. */
  private static void knock(int port, Random random) throws IOException {
    for (String text : List.of("GET / HTTP/1.1\r\n\r\n", "\0\0\0\0\0\0\0\24hello, I am worker")) {
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
        byte[] noise = new byte[4096];
        random.nextBytes(noise);
        OutputStream out = socket.getOutputStream();
        out.write(text.getBytes(StandardCharsets.ISO_8859_1));
        out.write(noise);
        out.flush();
      } catch (IOException e) {
        assertThat(e.getMessage()).as("the worker closes the connection").isNotNull();
      }
    }
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
