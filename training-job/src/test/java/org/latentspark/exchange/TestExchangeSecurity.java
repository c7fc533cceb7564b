package org.latentspark.exchange;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.spark.SparkConf;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.latentspark.tensor.Natives;
import org.latentspark.tensor.Tensors;

/** Strangers knock at the workers, by real sockets. */
@Tag("chaos")
class TestExchangeSecurity {
  private static final Duration DEADLINE = Duration.ofMinutes(2);
  private static final long SEED = 20261123;
  private static final int WORKERS = 3;
  private final ExecutorService threads = Executors.newCachedThreadPool();

  @BeforeAll
  static void load() {
    Natives.load();
  }

  @AfterEach
  void endThreads() {
    threads.shutdownNow();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void exchangeGoesOnAmongStrangers(boolean encrypted) throws Exception {
    Secret secret = Secret.draw(conf(encrypted));
    int count = 3 * WORKERS * Ring.SEGMENT + 7;
    List<Closeable> silent = new ArrayList<>();
    List<Path> doors = new ArrayList<>();
    Meeting meeting = new MeetingOfThreads(WORKERS);
    try {
      List<Future<float[]>> sums = new ArrayList<>();
      for (int rank = 1; rank < WORKERS; rank++) {
        int own = rank;
        sums.add(threads.submit(() -> sum(member(meeting, secret, own), count)));
      }
      Member first = member(meeting, secret, 0);
      try (PointerScope scope = new PointerScope();
          RingDoor door = new RingDoor(first)) {
        // The others are at their doors now, and stay there until worker 0 has come, too.
        Address[] workers = meeting.join(0, door.address());
        Random random = new Random(SEED);
        for (int rank = 0; rank < WORKERS; rank++) {
          Path near = Path.of(workers[rank].local());
          doors.add(near);
          silent.add(SocketChannel.open(UnixDomainSocketAddress.of(near)));
          knockNearBy(near, random);
          int port = workers[rank].port();
          silent.add(new Socket(InetAddress.getLoopbackAddress(), port));
          knock(port, random);
          if (rank > 0) {
            pretend(port, rank, random);
          }
        }
        try (Ring ring = new Ring(first, door.connect(workers[1], DEADLINE))) {
          float[] own = sum(ring, 0, count);
          for (int place = 0; place < count; place += 1013) {
            assertThat(own[place]).as("sum at %d", place).isEqualTo(3 * (place % 1000) + 3f);
          }
          for (Future<float[]> sum : sums) {
            float[] others = sum.get(DEADLINE.toSeconds(), TimeUnit.SECONDS);
            assertThat(Arrays.equals(others, own)).as("alike").isTrue();
          }
        }
      }
      assertThat(doors).hasSize(WORKERS).noneMatch(door -> Files.exists(door.getParent()));
    } finally {
      for (Closeable socket : silent) {
        socket.close();
      }
    }
  }

  @Test
  void strangerThatIsTakenForANeighbourIsRefused() throws Exception {
    Secret secret = Secret.draw(conf(false));
    Member first = member(new MeetingOfThreads(WORKERS), secret, 0);
    try (ServerSocket stranger = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        RingDoor door = new RingDoor(first)) {
      Future<?> answer =
          threads.submit(
              () -> {
                try (Socket socket = stranger.accept()) {
                  socket.getInputStream().readNBytes(36);
                  socket.getOutputStream().write(new byte[64]);
                  return socket.getInputStream().readAllBytes();
                }
              });
      Address address = new Address("127.0.0.1", stranger.getLocalPort(), "");
      assertThatThrownBy(() -> door.connect(address, DEADLINE))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("does not know the secret");
      answer.get(DEADLINE.toSeconds(), TimeUnit.SECONDS);
    }
  }

  @Test
  void sealedMessageCannotBeReadChangedOrSaidAgain() {
    byte[] key = Secret.random(32);
    ByteBuffer plain = ByteBuffer.wrap("a gradient".getBytes(StandardCharsets.US_ASCII));
    ByteBuffer sealed = RecordCipher.sealing(key).seal(plain.duplicate());
    byte[] bytes = new byte[sealed.remaining()];
    sealed.duplicate().get(bytes);
    assertThat(new String(bytes, StandardCharsets.ISO_8859_1)).doesNotContain("gradient");
    RecordCipher opening = RecordCipher.opening(key);
    ByteBuffer opened = ByteBuffer.allocate(plain.remaining());
    opening.open(sealed.duplicate(), opened);
    assertThat(opened.flip()).isEqualTo(plain);
    assertThatThrownBy(() -> opening.open(sealed.duplicate(), ByteBuffer.allocate(100)))
        .hasMessageContaining("changed on its way");
    bytes[3] ^= 1;
    assertThatThrownBy(
            () -> RecordCipher.opening(key).open(ByteBuffer.wrap(bytes), ByteBuffer.allocate(100)))
        .hasMessageContaining("changed on its way");
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

  private static Member member(Meeting meeting, Secret secret, int rank) {
    // The last two are of one machine, the first is of another.
    String host = rank == 0 ? "127.0.0.1" : "127.0.0.2";
    return new Member(meeting, secret, host, rank, WORKERS, Place.CPU);
  }

  private static float[] sum(Member own, int count) throws IOException {
    try (Collective ring = Collective.join(own, DEADLINE)) {
      return sum(ring, own.rank(), count);
    }
  }

  private static float[] sum(Collective ring, int rank, int count) {
    float[] values = new float[count];
    for (int place = 0; place < count; place++) {
      values[place] = place % 1000 + rank;
    }
    try (PointerScope scope = new PointerScope()) {
      Tensor vector = Tensors.of(values, count);
      ring.sum(vector);
      return Tensors.floats(vector);
    }
  }

  /** Greets as the left neighbour of {@code rank} does, but cannot prove anything. */
  private static void pretend(int port, int rank, Random random) throws IOException {
    byte[] noise = new byte[32];
    random.nextBytes(noise);
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      OutputStream out = socket.getOutputStream();
      out.write(ByteBuffer.allocate(4).putInt(rank - 1).array());
      out.write(noise);
      assertThat(socket.getInputStream().readNBytes(64)).as("the challenge").hasSize(64);
      out.write(noise);
      assertThat(socket.getInputStream().read()).as("closed without a word").isNegative();
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

  /** Says noise to a door that only the own user may even see. */
  private static void knockNearBy(Path door, Random random) throws IOException {
    assertThat(Files.getPosixFilePermissions(door.getParent()))
        .isEqualTo(PosixFilePermissions.fromString("rwx------"));
    byte[] noise = new byte[4096];
    random.nextBytes(noise);
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(door))) {
      channel.write(ByteBuffer.wrap(noise));
    }
  }
}
