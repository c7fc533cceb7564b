package org.latentspark.exchange;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import org.latentspark.tensor.StoppedException;

/**
 * A worker's connections in the {@link Ring}: it hears its left neighbour and speaks to its right
 * one, both by the worker's own thread. While it waits for words from the left it sends on what it
 * has for the right.
 */
final class RingSocket implements AutoCloseable {
  private final SocketChannel fromLeft;
  private final SocketChannel toRight;
  private final String left;
  private final String right;
  private final Duration deadline;
  private final Selector selector;
  private final SelectionKey readable;
  private final SelectionKey writable;
  private final Deque<ByteBuffer> queue = new ArrayDeque<>();
  private final RecordCipher sealing;
  private final RecordCipher opening;
  private long said;
  private long written;

  /** Makes a socket of two connections whose handshakes are done. */
  RingSocket(Secret secret, Handshake withLeft, Handshake withRight, Duration deadline)
      throws IOException {
    fromLeft = withLeft.channel();
    toRight = withRight.channel();
    left = "worker " + withLeft.left();
    right = "worker " + withRight.right();
    this.deadline = deadline;
    sealing = secret.encrypts() ? RecordCipher.sealing(withRight.key()) : null;
    opening = secret.encrypts() ? RecordCipher.opening(withLeft.key()) : null;
    selector = Selector.open();
    readable = fromLeft.register(selector, 0);
    writable = toRight.register(selector, 0);
  }

  /**
   * Sends words to the right, now or while waiting for others.
   *
   * @param words memory that must stay as it is until {@link #flush}
   */
  void say(ByteBuffer words) {
    queue.add(sealing == null ? words : sealing.seal(words));
    said++;
    try {
      write();
    } catch (IOException e) {
      throw broken(right, e);
    }
  }

  /** Returns how many words were said so far. */
  long said() {
    return said;
  }

  /** Waits until the first {@code number} words are on their way and their memory is free. */
  void flush(long number) {
    long end = System.nanoTime() + deadline.toNanos();
    try {
      while (written < number) {
        if (!write()) {
          await(0, SelectionKey.OP_WRITE, right, end);
        }
      }
    } catch (IOException e) {
      throw broken(right, e);
    }
  }

  /** Fills {@code words} with what the left neighbour says. */
  void hear(ByteBuffer words) {
    if (opening == null) {
      read(words);
    } else {
      ByteBuffer sealed = opening.blank(words.remaining());
      read(sealed);
      opening.open(sealed.flip(), words);
    }
  }

  private void read(ByteBuffer words) {
    long end = System.nanoTime() + deadline.toNanos();
    while (words.hasRemaining()) {
      boolean moved;
      try {
        moved = write();
      } catch (IOException e) {
        throw broken(right, e);
      }
      try {
        int read = fromLeft.read(words);
        if (read < 0) {
          throw new IOException("it has closed the connection");
        }
        if (read == 0 && !moved) {
          await(SelectionKey.OP_READ, queue.isEmpty() ? 0 : SelectionKey.OP_WRITE, left, end);
        }
      } catch (IOException e) {
        throw broken(left, e);
      }
    }
  }

  /** Writes what the network takes; tells whether it took anything. */
  private boolean write() throws IOException {
    boolean moved = false;
    while (!queue.isEmpty()) {
      int taken = toRight.write(queue.peek());
      moved |= taken > 0;
      if (queue.peek().hasRemaining()) {
        return moved;
      }
      queue.poll();
      written++;
    }
    return moved;
  }

  private void await(int reading, int writing, String whom, long end) throws IOException {
    readable.interestOps(reading);
    writable.interestOps(writing);
    long rest = (end - System.nanoTime()) / 1_000_000;
    if (rest <= 0) {
      throw new IllegalStateException("Timed out after " + deadline + " waiting for " + whom);
    }
    selector.select(rest);
    selector.selectedKeys().clear();
    if (Thread.interrupted()) {
      throw new StoppedException("Interrupted while waiting for " + whom);
    }
  }

  private static IllegalStateException broken(String whom, IOException cause) {
    return new IllegalStateException(
        "The exchange with " + whom + " broke off: " + cause.getMessage(), cause);
  }

  /** Closes both connections; neighbours that still wait for this worker fail at once. */
  @Override
  public void close() throws IOException {
    selector.close();
    toRight.close();
    fromLeft.close();
  }
}
