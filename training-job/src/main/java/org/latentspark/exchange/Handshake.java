package org.latentspark.exchange;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;

/**
 * The first words between two neighbours of a ring: each sends random bytes and proves, by a keyed
 * hash over those of both, that it knows the stage's {@link Secret}.
 *
 * <pre>
 * left  -> right: rank of left, random a
 * right -> left:  random b, HMAC("right", ranks, a, b)
 * left  -> right: HMAC("left", ranks, a, b)
 * </pre>
 *
 * <p>Never waits: {@link #advance} goes as far as what has come allows, so that one who says
 * nothing keeps nobody from the others.
 */
final class Handshake {
  /** How far the two are. */
  enum State {
    UNDER_WAY,
    DONE,
    REFUSED
  }

  private static final int RANDOM = 32;
  private static final int PROOF = 32;

  private final SocketChannel channel;
  private final Secret secret;
  private final int left;
  private final int right;
  private final boolean connects;
  private final byte[] own = Secret.random(RANDOM);
  private byte[] others;
  private ByteBuffer awaited;
  private State state = State.UNDER_WAY;

  private Handshake(
      SocketChannel channel, Secret secret, int left, int right, boolean connects, int awaited) {
    this.channel = channel;
    this.secret = secret;
    this.left = left;
    this.right = right;
    this.connects = connects;
    this.awaited = ByteBuffer.allocate(awaited);
  }

  /** Begins as the one on the left, who connects. */
  static Handshake toRight(SocketChannel channel, Secret secret, int left, int right)
      throws IOException {
    Handshake handshake = new Handshake(channel, secret, left, right, true, RANDOM + PROOF);
    handshake.say(ByteBuffer.allocate(Integer.BYTES + RANDOM).putInt(left).put(handshake.own));
    return handshake;
  }

  /** Begins as the one on the right, to whom somebody has connected. */
  static Handshake fromLeft(SocketChannel channel, Secret secret, int left, int right) {
    return new Handshake(channel, secret, left, right, false, Integer.BYTES + RANDOM);
  }

  /** Returns the rank of the one who connects. */
  int left() {
    return left;
  }

  /** Returns the rank of the one who listens. */
  int right() {
    return right;
  }

  /** Returns the connection. */
  SocketChannel channel() {
    return channel;
  }

  /** Tells whether the own side has connected. */
  boolean connects() {
    return connects;
  }

  /** Goes on with what has come. */
  State advance() {
    try {
      while (state == State.UNDER_WAY) {
        int read = channel.read(awaited);
        if (read < 0) {
          state = State.REFUSED;
        } else if (awaited.hasRemaining()) {
          break;
        } else {
          state = connects ? answered() : asked();
        }
      }
    } catch (IOException e) {
      state = State.REFUSED;
    }
    return state;
  }

  private State answered() throws IOException {
    awaited.flip();
    others = take(RANDOM);
    if (!MessageDigest.isEqual(take(PROOF), proof("right", own, others))) {
      return State.REFUSED;
    }
    say(ByteBuffer.wrap(proof("left", own, others)).position(PROOF));
    return State.DONE;
  }

  private State asked() throws IOException {
    awaited.flip();
    if (others != null) {
      return MessageDigest.isEqual(take(PROOF), proof("left", others, own))
          ? State.DONE
          : State.REFUSED;
    }
    if (awaited.getInt() != left) {
      return State.REFUSED;
    }
    others = take(RANDOM);
    say(ByteBuffer.allocate(RANDOM + PROOF).put(own).put(proof("right", others, own)));
    awaited = ByteBuffer.allocate(PROOF);
    return State.UNDER_WAY;
  }

  /** Returns the key for what the left one says to the right one from now on. */
  byte[] key() {
    return connects ? proof("key", own, others) : proof("key", others, own);
  }

  private byte[] proof(String role, byte[] ofLeft, byte[] ofRight) {
    return secret.sign(
        ByteBuffer.allocate(16 + RANDOM + RANDOM)
            .put(role.getBytes(StandardCharsets.US_ASCII))
            .position(8)
            .putInt(left)
            .putInt(right)
            .put(ofLeft)
            .put(ofRight)
            .array());
  }

  private byte[] take(int length) {
    byte[] bytes = new byte[length];
    awaited.get(bytes);
    return bytes;
  }

  /** Sends a few bytes, for which a fresh connection always has room. */
  private void say(ByteBuffer words) throws IOException {
    words.flip();
    channel.write(words);
    if (words.hasRemaining()) {
      throw new IOException("A fresh connection takes no more than a few bytes");
    }
  }
}
