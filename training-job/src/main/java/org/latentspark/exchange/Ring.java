package org.latentspark.exchange;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/**
 * Workers in a ring, each of which sends to the one on its right only (Patarasuk and Yuan,
 * "Bandwidth optimal all-reduce algorithms for clusters of workstations", 2009).
 *
 * <p>A stretch of the vector has a segment for each worker. Segments travel once around to be added
 * up and once more, as sums, to everybody: each worker sends, and receives, nearly twice the vector
 * however many there are. Stretches follow each other like cars on an assembly line: while one is
 * waited for, the next is on its way.
 *
 * <p>Each sum is added up in the order of the ranks around the ring by one worker after the other,
 * and the last one's result is everybody's: the same bits on all workers, and in each run.
 */
final class Ring implements Collective {
  /**
   * Values of a segment at most: 256 KiB in fp32. All stretches at work, with what is done to them,
   * then stay in the cache that workers of one machine share; of 4 MiB each they did not.
   */
  static final int SEGMENT = 1 << 16;

  private final int rank;
  private final int workers;
  private final RingSocket socket;
  private final Tensor scratch;
  private final Deque<Sent> sending = new ArrayDeque<>();

  /** Memory that must stay as it is until so many words are on their way. */
  private record Sent(long number, Tensor memory) {}

  /** Makes the ring of a worker that is connected to both neighbours. */
  Ring(Member own, RingSocket socket) {
    this.rank = own.rank();
    this.workers = own.workers();
    this.socket = socket;
    scratch = torch.empty(SEGMENT);
    scratch.retainReference();
  }

  /** Joins the workers of the stage by what their meeting tells of them. */
  static Ring join(Member own, Duration deadline) throws IOException {
    try (PointerScope scope = new PointerScope();
        RingDoor door = new RingDoor(own)) {
      Address[] peers = own.meeting().join(own.rank(), door.address());
      Address next = peers[(own.rank() + 1) % own.workers()];
      return new Ring(own, door.connect(next, deadline));
    }
  }

  @Override
  public int workers() {
    return workers;
  }

  @Override
  public void sum(Tensor vector, Wire wire, Stretch before, Stretch after) {
    long length = (long) SEGMENT * workers;
    long stretches = (vector.numel() + length - 1) / length;
    // Twice around, and one more turn in which what was sent last leaves.
    int turns = 2 * workers - 1;
    long[] said = new long[turns];
    for (long time = 0; time < stretches + turns; time++) {
      // The oldest first: its segments are what the neighbour waits for.
      for (int turn = turns; turn >= 0; turn--) {
        long stretch = time - turn;
        if (stretch < 0 || stretch >= stretches) {
          continue;
        }
        int place = (int) (stretch % turns);
        long start = stretch * length;
        long count = Math.min(length, vector.numel() - start);
        if (turn == 0) {
          before.at(start, count);
        }
        if (turn < turns) {
          turn(vector, start, count, turn, wire);
          said[place] = socket.said();
        } else {
          flush(said[place]);
          after.at(start, count);
        }
      }
    }
  }

  /**
   * Moves a stretch one worker on: takes the segment that comes from the left, and sends it on with
   * the own part added, or, the second time around, as it is.
   */
  private void turn(Tensor vector, long start, long count, int turn, Wire wire) {
    int of = Math.floorMod(rank - turn, workers);
    long from = count * of / workers;
    long length = count * (of + 1) / workers - from;
    if (length == 0) {
      return;
    }
    try (PointerScope scope = new PointerScope()) {
      Tensor segment = vector.narrow(0, start + from, length);
      if (turn >= workers && wire == Wire.FP32) {
        socket.hear(bytes(segment));
      } else if (turn > 0) {
        Tensor heard = blank(length, wire);
        socket.hear(bytes(heard));
        if (turn < workers) {
          segment.add_(heard);
        } else {
          segment.copy_(heard);
        }
      }
      if (turn < 2 * workers - 2) {
        Tensor words = segment.to(wire.type());
        if (turn == workers - 1 && wire != Wire.FP32) {
          // All others will have the rounded sum.
          segment.copy_(words);
        }
        say(words);
      }
    }
  }

  private void say(Tensor words) {
    words.retainReference();
    sending.add(new Sent(socket.said() + 1, words));
    socket.say(bytes(words));
  }

  /** Waits until so many words are on their way, and lets go of their memory. */
  private void flush(long number) {
    socket.flush(number);
    while (!sending.isEmpty() && sending.peek().number() <= number) {
      sending.poll().memory().releaseReference();
    }
  }

  /** Returns memory for a segment [n] of the wire's type. */
  private Tensor blank(long count, Wire wire) {
    return torch.from_blob(scratch.data_ptr(), new long[] {count}, new TensorOptions(wire.type()));
  }

  /** Returns the memory of a tensor in one piece; no copy. */
  private static ByteBuffer bytes(Tensor tensor) {
    return new BytePointer(tensor.data_ptr())
        .capacity(tensor.numel() * tensor.element_size())
        .asByteBuffer()
        .order(ByteOrder.nativeOrder());
  }

  @Override
  public double[] sum(double... numbers) {
    double[][] all = new double[workers][];
    all[rank] = numbers;
    for (int turn = 0; turn < workers - 1; turn++) {
      ByteBuffer own = ByteBuffer.allocateDirect(numbers.length * Double.BYTES);
      own.asDoubleBuffer().put(all[Math.floorMod(rank - turn, workers)]);
      socket.say(own);
      ByteBuffer heard = ByteBuffer.allocateDirect(own.capacity());
      socket.hear(heard);
      double[] others = new double[numbers.length];
      heard.flip().asDoubleBuffer().get(others);
      all[Math.floorMod(rank - turn - 1, workers)] = others;
    }
    flush(socket.said());
    double[] sums = new double[numbers.length];
    for (double[] ofWorker : all) {
      for (int place = 0; place < sums.length; place++) {
        sums[place] += ofWorker[place];
      }
    }
    return sums;
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException("The exchange cannot be closed", e);
    } finally {
      sending.forEach(sent -> sent.memory().releaseReference());
      scratch.releaseReference();
    }
  }
}
