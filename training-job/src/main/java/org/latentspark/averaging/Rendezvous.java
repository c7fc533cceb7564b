package org.latentspark.averaging;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.javacpp.chrono.Milliseconds;
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
  private static final String STARTED = "started";
  private static final String REPORT = "report/";
  private static final String FAILURE = "failure/";
  private static final String DUMP = "dump/";
  private static final String STATES = "states";
  private static final String STATE = "state/";
  private static final String END = "end";

  private final TCPStore server;
  private final TCPStore own;
  private final int port;
  private long delivered;
  private long statesDelivered;

  /** Opens the store on a free port; no call on it waits longer than {@code deadline}. */
  Rendezvous(Duration deadline) {
    Natives.load();
    try (PointerScope scope = new PointerScope()) {
      server = new TCPStore("0.0.0.0", options(deadline).isServer(true).port((short) 0));
      server.retainReference();
      port = Short.toUnsignedInt(server.getPort());
    }
    own = connect("127.0.0.1", port, deadline);
  }

  private static TCPStoreOptions options(Duration deadline) {
    return new TCPStoreOptions().waitWorkers(false).timeout(new Milliseconds(deadline.toMillis()));
  }

  /** Returns the port of the driver on which workers connect. */
  int port() {
    return port;
  }

  /** Connects to a driver's store. */
  static TCPStore connect(String host, int port, Duration deadline) {
    try (PointerScope scope = new PointerScope()) {
      TCPStore store = new TCPStore(host, options(deadline).isServer(false).port((short) port));
      store.retainReference();
      return store;
    }
  }

  /** Tells the driver that a worker runs. */
  static void started(TCPStore store) {
    store.add(STARTED, 1);
  }

  /** Returns how many workers have told that they run. */
  long started() {
    return own.add(STARTED, 0);
  }

  /** Leaves the {@code index}-th report of a stage for the driver. */
  static void report(TCPStore store, long index, RoundReport report) {
    set(store, REPORT + index, report);
  }

  /** Tells the driver that a state is complete. */
  static void saved(TCPStore store, String name) {
    set(store, STATE + (store.add(STATES, 1) - 1), name);
  }

  /** Asks the workers to end the stage after the segment that they are in. */
  void askToEnd() {
    set(own, END, true);
  }

  /** Tells whether the driver has asked for the end. */
  static boolean askedToEnd(TCPStore store) {
    try (PointerScope scope = new PointerScope()) {
      return store.check(new StringVector(END));
    }
  }

  /** Leaves a worker's failure for the driver. */
  static void fail(TCPStore store, WorkerFailure failure) {
    set(store, FAILURE + failure.rank(), failure);
  }

  /** Leaves what led to a worker's NaN or infinity, as JSON, for the driver. */
  static void dump(TCPStore store, int rank, String record) {
    set(store, DUMP + rank, record);
  }

  /** Passes what came since the last call to {@code listener}. */
  void deliver(RunListener listener) {
    RoundReport report = look(REPORT + delivered, RoundReport.class);
    while (report != null) {
      listener.round(report);
      delivered++;
      report = look(REPORT + delivered, RoundReport.class);
    }
    String state = look(STATE + statesDelivered, String.class);
    while (state != null) {
      listener.state(state);
      statesDelivered++;
      state = look(STATE + statesDelivered, String.class);
    }
  }

  /** Returns what failures the workers have left so far. */
  List<WorkerFailure> failures(int workers) {
    return ofWorkers(FAILURE, workers, WorkerFailure.class);
  }

  /** Returns what workers that were not finite have left, their last. */
  List<String> dumps(int workers) {
    return ofWorkers(DUMP, workers, String.class);
  }

  private <T> List<T> ofWorkers(String key, int workers, Class<T> type) {
    List<T> found = new ArrayList<>();
    for (int rank = 0; rank < workers; rank++) {
      T value = look(key + rank, type);
      if (value != null) {
        found.add(value);
      }
    }
    return found;
  }

  private static void set(TCPStore store, String key, Object value) {
    try (PointerScope scope = new PointerScope()) {
      store.set(key, JSON.writeValueAsString(value));
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException("Cannot write " + key + " as JSON", e);
    }
  }

  /** Returns what stands at a key, or null where there is nothing yet. */
  private <T> T look(String key, Class<T> type) {
    try (PointerScope scope = new PointerScope()) {
      return own.check(new StringVector(key)) ? JSON.readValue(own.get_to_str(key), type) : null;
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException("A worker left an unreadable " + key, e);
    }
  }

  /** Closes the store; whoever is still connected fails at its next call. */
  @Override
  public void close() {
    own.releaseReference();
    server.releaseReference();
  }
}
