package org.latentspark.averaging;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.spark.network.client.RpcResponseCallback;
import org.apache.spark.network.client.TransportClient;
import org.apache.spark.network.server.OneForOneStreamManager;
import org.apache.spark.network.server.RpcHandler;
import org.apache.spark.network.server.StreamManager;
import org.latentspark.exchange.Address;
import org.latentspark.exchange.Secret;

/**
 * The driver's side of a barrier stage: here the workers find each other and leave their reports.
 *
 * <p>Spark's own {@code allGather} costs a fixed second a call; connections to the driver join
 * workers in milliseconds and need none.
 */
final class Rendezvous extends RpcHandler implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** What workers say. */
  enum Kind {
    STARTED,
    JOIN,
    REPORT,
    KEEP,
    STATE,
    ASK_END,
    FAILURE,
    DUMP
  }

  /** What a worker says, as JSON. */
  record Message(Kind kind, int rank, JsonNode body) {}

  private final int workers;
  private final RunListener listener;
  private final PeerNetwork network;
  private final int port;
  private final Set<Integer> started = new HashSet<>();
  private final Map<Integer, Address> addresses = new TreeMap<>();
  private final List<RpcResponseCallback> joining = new ArrayList<>();
  private final Map<Integer, WorkerFailure> failures = new TreeMap<>();
  private final Map<Integer, String> dumps = new TreeMap<>();
  private final Queue<RoundReport> reports = new ConcurrentLinkedQueue<>();
  private final Queue<String> states = new ConcurrentLinkedQueue<>();
  private boolean end;
  private boolean over;

  /** Opens on a free port for so many workers, who know the secret, and whom one listens to. */
  Rendezvous(int workers, Secret secret, Duration deadline, RunListener listener) {
    this.workers = workers;
    this.listener = listener;
    network = new PeerNetwork(secret, deadline, this);
    port = network.listen();
  }

  /** Returns the port of the driver on which workers connect. */
  int port() {
    return port;
  }

  /** Returns how many workers have told that they run. */
  synchronized int started() {
    return started.size();
  }

  /** Asks the workers to end the stage after the segment that they are in. */
  synchronized void askToEnd() {
    end = true;
  }

  /** Returns what failures the workers have left so far, by rank. */
  synchronized List<WorkerFailure> failures() {
    return List.copyOf(failures.values());
  }

  /** Returns what workers that were not finite have left, their last. */
  synchronized List<String> dumps() {
    return List.copyOf(dumps.values());
  }

  /** Passes on what came since the last call. */
  void deliver() {
    deliverReports(false);
    for (String state = states.poll(); state != null; state = states.poll()) {
      listener.state(state);
    }
  }

  /** Passes on reports; never waits for what the listener does about a state. */
  private void deliverReports(boolean kept) {
    synchronized (reports) {
      if (over) {
        throw new IllegalStateException("The stage is over");
      }
      for (RoundReport report = reports.poll(); report != null; report = reports.poll()) {
        listener.round(report);
      }
      if (kept) {
        listener.keep();
      }
    }
  }

  @Override
  public void receive(TransportClient client, ByteBuffer bytes, RpcResponseCallback answer) {
    try {
      Message message =
          JSON.readValue(StandardCharsets.UTF_8.decode(bytes).toString(), Message.class);
      if (message.kind() == Kind.JOIN) {
        join(message.rank(), read(message, Address.class), answer);
      } else if (message.kind() == Kind.KEEP) {
        deliverReports(true);
        answer.onSuccess(json(true));
      } else {
        answer.onSuccess(json(take(message)));
      }
    } catch (JsonProcessingException | RuntimeException e) {
      answer.onFailure(e);
    }
  }

  private synchronized void join(int rank, Address address, RpcResponseCallback answer) {
    addresses.put(rank, address);
    joining.add(answer);
    if (addresses.size() == workers) {
      ByteBuffer all = json(addresses.values());
      joining.forEach(worker -> worker.onSuccess(all.duplicate()));
      joining.clear();
    }
  }

  private synchronized boolean take(Message message) throws JsonProcessingException {
    switch (message.kind()) {
      case STARTED -> started.add(message.rank());
      case REPORT -> reports.add(read(message, RoundReport.class));
      case STATE -> states.add(read(message, String.class));
      case FAILURE -> failures.put(message.rank(), read(message, WorkerFailure.class));
      case DUMP -> dumps.put(message.rank(), read(message, String.class));
      case ASK_END -> {
        return end;
      }
      case JOIN, KEEP -> throw new IllegalArgumentException(message.kind() + " is answered apart");
    }
    return true;
  }

  private static <T> T read(Message message, Class<T> type) throws JsonProcessingException {
    return JSON.treeToValue(message.body(), type);
  }

  private static ByteBuffer json(Object value) {
    try {
      return ByteBuffer.wrap(JSON.writeValueAsBytes(value));
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException("Cannot write " + value + " as JSON", e);
    }
  }

  @Override
  public StreamManager getStreamManager() {
    return new OneForOneStreamManager();
  }

  /**
   * Closes all connections; whoever is still connected fails at its next call. The listener hears
   * nothing more: what a rerun tells would mix with it.
   */
  @Override
  public void close() {
    synchronized (reports) {
      over = true;
    }
    network.close();
  }
}
