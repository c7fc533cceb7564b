package org.latentspark.averaging;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import org.apache.spark.network.buffer.NioManagedBuffer;
import org.apache.spark.network.client.TransportClient;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/**
 * Workers in a ring, each of which sends to the one on its right only (Patarasu and Yuan,
 * "Bandwidth optimal all-reduce algorithms for clusters of workstations", 2009).
 *
 * <p>A stretch of the vector has a segment for each worker. Segments travel once around to be added
 * up and once more, as sums, to everybody: each worker sends, and receives, nearly twice the vector
 * however many there are. Stretches follow each other like cars on an assembly line: while one is
 * waited for, the next is on its way, and a segment is small enough to stay in the processor's
 * cache from its arrival until it is used.
 *
 * <p>Each sum is added up in the order of the ranks around the ring by one worker after the other,
 * and the last one's result is everybody's: the same bits on all workers, and in each run.
 */
final class Ring implements Collective {
  /** Values of a segment at most: 1 MiB in fp32. */
  static final int SEGMENT = 256 << 10;

  static final int SEGMENT_BYTES = SEGMENT * Float.BYTES;

  private final int rank;
  private final int workers;
  private final int port;
  private final PeerNetwork network;
  private final Mailbox mailbox;
  private final TransportClient right;
  private final Deque<Sent> sending = new ArrayDeque<>();
  private long sent;

  /** A letter that may not have arrived yet, with memory that must stay until then. */
  private record Sent(long number, Tensor memory) {}

  private Ring(Seat seat, int port, PeerNetwork network, Mailbox mailbox, TransportClient right) {
    this.rank = seat.rank();
    this.workers = seat.workers();
    this.port = port;
    this.network = network;
    this.mailbox = mailbox;
    this.right = right;
  }

  /** Joins the workers of the segment by what the driver knows of them. */
  static Ring join(Seat seat, Duration deadline) throws IOException {
    int workers = seat.workers();
    Mailbox mailbox = new Mailbox((seat.rank() + workers - 1) % workers, deadline);
    PeerNetwork network = new PeerNetwork(seat.driver().secret(), deadline, mailbox);
    try {
      int port = network.listen();
      Rendezvous.Address[] peers =
          seat.driver().join(seat.rank(), new Rendezvous.Address(seat.host(), port));
      Rendezvous.Address next = peers[(seat.rank() + 1) % workers];
      TransportClient right = network.connect(next.host(), next.port());
      right.sendRpcSync(
          ByteBuffer.allocate(Integer.BYTES).putInt(0, seat.rank()), deadline.toMillis());
      mailbox.awaitNeighbour();
      return new Ring(seat, port, network, mailbox, right);
    } catch (IOException | RuntimeException e) {
      network.close();
      throw e;
    }
  }

  @Override
  public int workers() {
    return workers;
  }

  /** Returns the port on which the left neighbour has connected. */
  int port() {
    return port;
  }

  @Override
  public void sum(Tensor vector, Wire wire, Stretch before, Stretch after) {
    long length = (long) SEGMENT * workers;
    long stretches = (vector.numel() + length - 1) / length;
    // Two rounds of the ring, and one more turn in which what was sent last arrives.
    int turns = 2 * workers - 1;
    long[] letters = new long[turns];
    for (long time = 0; time < stretches + turns; time++) {
      // The oldest first: its segments are what the neighbour waits for.
      for (int turn = turns; turn >= 0; turn--) {
        long stretch = time - turn;
        if (stretch < 0 || stretch >= stretches) {
          continue;
        }
        try (PointerScope scope = new PointerScope()) {
          long start = stretch * length;
          long count = Math.min(length, vector.numel() - start);
          if (turn == 0) {
            before.at(start, count);
          }
          if (turn < turns) {
            turn(vector.narrow(0, start, count), turn, wire);
            letters[(int) (stretch % turns)] = sent;
          } else {
            arrived(letters[(int) (stretch % turns)]);
            after.at(start, count);
          }
        }
      }
    }
  }

  /**
   * Moves a stretch one worker on: takes the segment that came from the left, and sends it on with
   * the own part added, or, in the second round, as it is.
   */
  private void turn(Tensor stretch, int turn, Wire wire) {
    Tensor segment = segment(stretch, Math.floorMod(rank - turn, workers));
    if (turn > 0 && segment.numel() > 0) {
      ByteBuffer letter = mailbox.next();
      Tensor received = Letters.tensor(letter, wire, segment.numel());
      if (turn < workers) {
        segment.add_(received);
      } else {
        segment.copy_(received);
      }
      mailbox.done(letter);
    }
    boolean complete = turn == workers - 1;
    if (complete && wire != Wire.FP32) {
      // All others will have the rounded sum.
      segment.copy_(segment.to(wire.type()));
    }
    if (turn < 2 * workers - 2 && segment.numel() > 0) {
      send(segment.to(wire.type()));
    }
  }

  /** Returns a worker's segment of a stretch; those of a short one may be empty. */
  private Tensor segment(Tensor stretch, int of) {
    long from = stretch.numel() * of / workers;
    long to = stretch.numel() * (of + 1) / workers;
    return stretch.narrow(0, from, to - from);
  }

  private void send(Tensor segment) {
    segment.retainReference();
    sending.add(new Sent(sent + 1, segment));
    send(Letters.bytes(segment));
  }

  private void send(ByteBuffer letter) {
    ByteBuffer header = ByteBuffer.allocate(Integer.BYTES).putInt(0, letter.remaining());
    right.uploadStream(new NioManagedBuffer(header), new NioManagedBuffer(letter), mailbox.sent());
    sent++;
  }

  /** Waits until the letters up to a number have arrived, and lets go of their memory. */
  private void arrived(long number) {
    mailbox.awaitAcknowledged(number);
    while (!sending.isEmpty() && sending.peek().number() <= number) {
      sending.poll().memory().releaseReference();
    }
  }

  @Override
  public double[] sum(double... numbers) {
    double[][] all = new double[workers][];
    all[rank] = numbers;
    for (int turn = 0; turn < workers - 1; turn++) {
      ByteBuffer letter = ByteBuffer.allocate(numbers.length * Double.BYTES);
      letter.asDoubleBuffer().put(all[Math.floorMod(rank - turn, workers)]);
      send(letter);
      ByteBuffer received = mailbox.next();
      double[] others = new double[numbers.length];
      received.order(letter.order()).asDoubleBuffer().get(others);
      all[Math.floorMod(rank - turn - 1, workers)] = others;
      mailbox.done(received);
    }
    // Whoever leaves right after this must not cut off the neighbour.
    arrived(sent);
    double[] sums = new double[numbers.length];
    for (double[] ofWorker : all) {
      for (int place = 0; place < sums.length; place++) {
        sums[place] += ofWorker[place];
      }
    }
    return sums;
  }

  /** Leaves the ring; neighbours that still wait for this worker fail at once. */
  @Override
  public void close() {
    // Memory that is still being sent may be freed only when nobody reads it any more.
    right.getChannel().close().awaitUninterruptibly();
    network.close();
    sending.forEach(letter -> letter.memory().releaseReference());
  }
}
