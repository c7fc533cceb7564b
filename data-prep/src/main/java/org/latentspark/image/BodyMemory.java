package org.latentspark.image;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Bounds the memory of many bodies that arrive at once: each may have a small share; to grow beyond
 * it a body needs one of a few places, in which it may grow to the full.
 *
 * <p>A body with a place can always be finished, so that the others get their turn.
 */
final class BodyMemory {
  private final int share;
  private int freePlaces;
  private final Deque<Claim> waiting = new ArrayDeque<>();

  /**
   * Divides {@code bytes} among up to {@code bodies} of at most {@code maxBytes} each: half for the
   * shares, half for the places.
   */
  BodyMemory(long bytes, int bodies, long maxBytes) {
    this.share = (int) Math.min(maxBytes, bytes / 2 / bodies);
    this.freePlaces = (int) Math.max(1, bytes / 2 / maxBytes);
  }

  /** Returns how many bytes a body may have without a place. */
  int share() {
    return share;
  }

  /** A body's wish for a place, and then the place. */
  final class Claim implements AutoCloseable {
    private final Runnable granted;
    private boolean held;
    private boolean closed;

    private Claim(Runnable granted) {
      this.granted = granted;
    }

    /** Gives the place back, or up. */
    @Override
    public void close() {
      Claim next = null;
      synchronized (BodyMemory.this) {
        if (closed) {
          return;
        }
        closed = true;
        if (!held) {
          waiting.remove(this);
        } else {
          next = waiting.poll();
          if (next == null) {
            freePlaces++;
          } else {
            next.held = true;
          }
        }
      }
      if (next != null) {
        next.granted.run();
      }
    }
  }

  /** Asks for a place; {@code granted} runs as soon as there is one. */
  Claim claim(Runnable granted) {
    Claim claim = new Claim(granted);
    synchronized (this) {
      claim.held = freePlaces > 0;
      if (claim.held) {
        freePlaces--;
      } else {
        waiting.add(claim);
      }
    }
    if (claim.held) {
      granted.run();
    }
    return claim;
  }
}
