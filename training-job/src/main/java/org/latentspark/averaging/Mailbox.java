package org.latentspark.averaging;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import org.apache.spark.network.client.RpcResponseCallback;
import org.apache.spark.network.client.StreamCallbackWithID;
import org.apache.spark.network.client.TransportClient;
import org.apache.spark.network.server.OneForOneStreamManager;
import org.apache.spark.network.server.RpcHandler;
import org.apache.spark.network.server.StreamManager;

/**
 * What a worker's left neighbour in the {@link Ring} has sent and it has not read yet, in order,
 * and how much of what it sent itself has arrived on its right.
 *
 * <p>The network's threads fill it, the worker's waits on it.
 */
final class Mailbox extends RpcHandler {
  private final int left;
  private final Duration deadline;
  private final Deque<ByteBuffer> arrived = new ArrayDeque<>();
  private final Deque<ByteBuffer> free = new ArrayDeque<>();
  private volatile TransportClient neighbour;
  private long acknowledged;
  private Throwable lost;
  private Throwable unsent;

  /** Makes a mailbox for what worker {@code left} sends. */
  Mailbox(int left, Duration deadline) {
    this.left = left;
    this.deadline = deadline;
  }

  /** Takes the greeting of the left neighbour: its rank. */
  @Override
  public void receive(TransportClient client, ByteBuffer greeting, RpcResponseCallback answer) {
    int rank = greeting.getInt();
    synchronized (this) {
      if (rank != left || neighbour != null) {
        answer.onFailure(new IllegalStateException("Worker " + left + " is awaited, not " + rank));
        return;
      }
      neighbour = client;
      notifyAll();
    }
    answer.onSuccess(ByteBuffer.allocate(0));
  }

  /** Takes a letter; the network tells the sender when it is complete. */
  @Override
  public StreamCallbackWithID receiveStream(
      TransportClient client, ByteBuffer header, RpcResponseCallback answer) {
    if (client != neighbour) {
      throw new IllegalStateException("Only worker " + left + " may send");
    }
    ByteBuffer letter = blank(header.getInt());
    return new StreamCallbackWithID() {
      @Override
      public String getID() {
        return "letter";
      }

      @Override
      public void onData(String id, ByteBuffer part) {
        letter.put(part);
      }

      @Override
      public void onComplete(String id) {
        synchronized (Mailbox.this) {
          arrived.add(letter.flip());
          Mailbox.this.notifyAll();
        }
      }

      @Override
      public void onFailure(String id, Throwable cause) {
        lose(cause);
      }
    };
  }

  private synchronized ByteBuffer blank(int length) {
    ByteBuffer letter = free.poll();
    return letter == null || letter.capacity() < length
        ? Letters.allocate(Math.max(length, Ring.SEGMENT_BYTES))
        : letter.clear();
  }

  /** Gives a letter's memory back. */
  synchronized void done(ByteBuffer letter) {
    free.add(letter);
  }

  /** Returns what takes note of a letter's arrival on the right. */
  RpcResponseCallback sent() {
    return new RpcResponseCallback() {
      @Override
      public void onSuccess(ByteBuffer response) {
        synchronized (Mailbox.this) {
          acknowledged++;
          Mailbox.this.notifyAll();
        }
      }

      @Override
      public void onFailure(Throwable cause) {
        synchronized (Mailbox.this) {
          unsent = cause;
          Mailbox.this.notifyAll();
        }
      }
    };
  }

  private synchronized void lose(Throwable cause) {
    if (lost == null) {
      lost = cause;
    }
    notifyAll();
  }

  @Override
  public void channelInactive(TransportClient client) {
    if (client == neighbour) {
      lose(new IllegalStateException("connection closed by worker " + left));
    }
  }

  @Override
  public void exceptionCaught(Throwable cause, TransportClient client) {
    if (client == neighbour) {
      lose(cause);
    }
  }

  /** Waits until the left neighbour has connected. */
  synchronized void awaitNeighbour() {
    await(() -> neighbour != null, "worker " + left + " to connect");
  }

  /** Waits for the next letter, which the reader gives back with {@link #done}. */
  synchronized ByteBuffer next() {
    await(() -> !arrived.isEmpty() || lost != null, "worker " + left);
    if (arrived.isEmpty()) {
      throw broken(lost);
    }
    return arrived.poll();
  }

  /**
   * Waits until so many of the own letters, of all that were ever sent, have arrived. The left
   * neighbour may have left meanwhile: it was done before.
   */
  synchronized void awaitAcknowledged(long letters) {
    await(() -> acknowledged >= letters, "an answer to what was sent");
  }

  /** A state of the mailbox that is waited for. */
  private interface Condition {
    boolean holds();
  }

  private void await(Condition condition, String what) {
    long end = System.nanoTime() + deadline.toNanos();
    while (!condition.holds()) {
      if (unsent != null) {
        throw broken(unsent);
      }
      long left = end - System.nanoTime();
      if (left <= 0) {
        throw new IllegalStateException("Timed out after " + deadline + " waiting for " + what);
      }
      try {
        wait(Math.max(1, left / 1_000_000));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new StoppedException("Interrupted while waiting for " + what);
      }
    }
  }

  private static IllegalStateException broken(Throwable cause) {
    return new IllegalStateException("The exchange broke off: " + cause.getMessage(), cause);
  }

  @Override
  public StreamManager getStreamManager() {
    return new OneForOneStreamManager();
  }
}
