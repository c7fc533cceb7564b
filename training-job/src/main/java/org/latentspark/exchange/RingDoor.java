package org.latentspark.exchange;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Optional;
import org.latentspark.tensor.StoppedException;

/**
 * Where a worker's left neighbour knocks, and many others may: connects a worker to both of its
 * neighbours, and closes the connections of all who do not know the stage's secret.
 */
final class RingDoor implements AutoCloseable {
  private final Member own;
  private final int left;
  private final int right;
  private final ServerSocketChannel listener;
  private final Optional<LocalDoor> local;
  private final Selector selector;
  private Handshake fromLeft;
  private Handshake toRight;

  /** Opens on a free port, and beside it for workers of the same machine. */
  RingDoor(Member own) throws IOException {
    this.own = own;
    left = (own.rank() + own.workers() - 1) % own.workers();
    right = (own.rank() + 1) % own.workers();
    listener = ServerSocketChannel.open();
    selector = Selector.open();
    int backlog = 4 * own.workers() + 128;
    listener.bind(new InetSocketAddress(0), backlog);
    listen(listener);
    local = LocalDoor.open(backlog);
    if (local.isPresent()) {
      listen(local.get().listener());
    }
  }

  private void listen(ServerSocketChannel door) throws IOException {
    door.configureBlocking(false).register(selector, SelectionKey.OP_ACCEPT);
  }

  /** Returns where the left neighbour is to knock. */
  Address address() throws IOException {
    return new Address(
        own.host(),
        ((InetSocketAddress) listener.getLocalAddress()).getPort(),
        local.map(LocalDoor::path).orElse(""));
  }

  /**
   * Connects to both neighbours.
   *
   * @param next where the one on the right listens
   * @throws IOException when the right one does not answer, or refuses
   * @throws IllegalStateException at the deadline
   */
  RingSocket connect(Address next, Duration deadline) throws IOException {
    greet(next, deadline);
    long end = System.nanoTime() + deadline.toNanos();
    while (toRight == null || fromLeft == null) {
      long rest = (end - System.nanoTime()) / 1_000_000;
      if (rest <= 0) {
        throw new IllegalStateException(
            "Timed out after "
                + deadline
                + " waiting for worker "
                + (toRight == null ? right : left));
      }
      selector.select(rest);
      if (Thread.interrupted()) {
        throw new StoppedException("Interrupted while waiting for worker " + left);
      }
      for (SelectionKey key : selector.selectedKeys()) {
        if (key.attachment() == null) {
          accept((ServerSocketChannel) key.channel());
          continue;
        }
        Handshake handshake = (Handshake) key.attachment();
        switch (handshake.advance()) {
          case DONE -> {
            key.cancel();
            if (handshake.connects()) {
              toRight = handshake;
            } else if (fromLeft == null) {
              fromLeft = handshake;
            } else {
              handshake.channel().close();
            }
          }
          case REFUSED -> {
            handshake.channel().close();
            if (handshake.connects()) {
              throw new IOException("Worker " + right + " does not know the secret of the stage");
            }
          }
          case UNDER_WAY -> {
            // The rest of its words is still on the way.
          }
        }
      }
      selector.selectedKeys().clear();
    }
    // Channels may change hands only when no selector knows them any more.
    selector.selectNow();
    RingSocket ring = new RingSocket(own.secret(), fromLeft, toRight, deadline);
    fromLeft = null;
    toRight = null;
    return ring;
  }

  /** Connects to the right neighbour and says the first words. */
  private void greet(Address next, Duration deadline) throws IOException {
    Optional<SocketChannel> near =
        next.host().equals(own.host()) ? LocalDoor.connect(next.local()) : Optional.empty();
    SocketChannel channel = near.isPresent() ? near.get() : SocketChannel.open();
    try {
      if (near.isEmpty()) {
        channel
            .socket()
            .connect(
                new InetSocketAddress(next.host(), next.port()),
                Math.toIntExact(deadline.toMillis()));
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      }
      watch(channel);
      channel.keyFor(selector).attach(Handshake.toRight(channel, own.secret(), own.rank(), right));
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private void accept(ServerSocketChannel door) throws IOException {
    for (SocketChannel channel = door.accept(); channel != null; channel = door.accept()) {
      if (door == listener) {
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      }
      watch(channel);
      channel.keyFor(selector).attach(Handshake.fromLeft(channel, own.secret(), left, own.rank()));
    }
  }

  private void watch(SocketChannel channel) throws IOException {
    channel.configureBlocking(false).register(selector, SelectionKey.OP_READ);
  }

  /** Closes the door and the connections of all who did not get in. */
  @Override
  public void close() throws IOException {
    for (SelectionKey key : selector.keys()) {
      key.channel().close();
    }
    selector.close();
    listener.close();
    if (local.isPresent()) {
      local.get().close();
    }
    if (fromLeft != null) {
      fromLeft.channel().close();
    }
    if (toRight != null) {
      toRight.channel().close();
    }
  }
}
