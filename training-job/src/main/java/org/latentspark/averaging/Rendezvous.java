package org.latentspark.averaging;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.UncheckedIOException;
import java.util.function.Consumer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.StringVector;
import org.bytedeco.pytorch.TCPStore;
import org.bytedeco.pytorch.TCPStoreOptions;
import org.latentspark.tensor.Natives;

/**
 * The driver's store, where the workers of a barrier stage find each other and leave their reports.
 *
 * <p>Spark's own {@code allGather} costs a fixed second a call; a store on the driver joins workers
 * in milliseconds and needs none.
 */
final class Rendezvous implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long POLL_MILLIS = 200;

  private final TCPStore server;
  private final int port;
  private final Thread listener;
  private volatile boolean closing;

  /** Opens the store on a free port and passes reports to {@code reports} as they come. */
  Rendezvous(Consumer<RoundReport> reports) {
    Natives.load();
    try (PointerScope scope = new PointerScope()) {
      server =
          new TCPStore(
              "0.0.0.0", new TCPStoreOptions().isServer(true).port((short) 0).waitWorkers(false));
      server.retainReference();
      port = Short.toUnsignedInt(server.getPort());
    }
    listener = new Thread(() -> listen(reports), "averaging-reports");
    listener.setDaemon(true);
    listener.start();
  }

  /** Returns the port of the driver on which workers connect. */
  int port() {
    return port;
  }

  /** Connects to a driver's store. */
  static TCPStore connect(String host, int port) {
    try (PointerScope scope = new PointerScope()) {
      TCPStore store =
          new TCPStore(
              host, new TCPStoreOptions().isServer(false).port((short) port).waitWorkers(false));
      store.retainReference();
      return store;
    }
  }

  /** Leaves the {@code index}-th report of a stage for the driver. */
  static void report(TCPStore store, long index, RoundReport report) {
    try (PointerScope scope = new PointerScope()) {
      store.set(key(index), JSON.writeValueAsString(report));
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException("Cannot write a report as JSON", e);
    }
  }

  private void listen(Consumer<RoundReport> reports) {
    TCPStore store = connect("127.0.0.1", port);
    try {
      long next = 0;
      while (true) {
        // Read before the last look, so that what came before closing is still delivered.
        boolean last = closing;
        while (true) {
          try (PointerScope scope = new PointerScope()) {
            if (!store.check(new StringVector(key(next)))) {
              break;
            }
            reports.accept(JSON.readValue(store.get_to_str(key(next)), RoundReport.class));
          }
          next++;
        }
        if (last) {
          return;
        }
        Thread.sleep(POLL_MILLIS);
      }
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException("A worker left an unreadable report", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      store.releaseReference();
    }
  }

  private static String key(long index) {
    return "report/" + index;
  }

  /** Delivers the last reports and closes the store. */
  @Override
  public void close() {
    closing = true;
    try {
      listener.join(10_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    server.releaseReference();
  }
}
