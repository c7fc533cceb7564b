package org.latentspark.averaging;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.apache.spark.network.client.TransportClient;
import org.latentspark.exchange.Address;
import org.latentspark.exchange.Meeting;
import org.latentspark.exchange.Secret;

/** A worker's connection to the driver's {@link Rendezvous}; no call waits beyond the deadline. */
final class DriverLink implements Meeting, AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Duration deadline;
  private final PeerNetwork network;
  private final TransportClient driver;

  private DriverLink(Duration deadline, PeerNetwork network, TransportClient driver) {
    this.deadline = deadline;
    this.network = network;
    this.driver = driver;
  }

  /**
   * Connects to a driver.
   *
   * @throws UncheckedIOException when it does not answer
   */
  static DriverLink open(Secret secret, String host, int port, Duration deadline) {
    PeerNetwork network = new PeerNetwork(secret, deadline);
    try {
      return new DriverLink(deadline, network, network.connect(host, port));
    } catch (IOException e) {
      network.close();
      throw new UncheckedIOException("The driver at " + host + ":" + port + " is out of reach", e);
    }
  }

  /** Tells the driver that a worker runs. */
  void started(int rank) {
    ask(new Rendezvous.Message(Rendezvous.Kind.STARTED, rank, null));
  }

  @Override
  public Address[] join(int rank, Address own) {
    return ask(
        new Rendezvous.Message(Rendezvous.Kind.JOIN, rank, JSON.valueToTree(own)), Address[].class);
  }

  /** Leaves the report of a round. */
  void report(RoundReport report) {
    ask(new Rendezvous.Message(Rendezvous.Kind.REPORT, 0, JSON.valueToTree(report)));
  }

  /** Waits until the driver has put on disk what the reports so far told. */
  void keep() {
    ask(new Rendezvous.Message(Rendezvous.Kind.KEEP, 0, null));
  }

  /** Tells the driver that a state is complete. */
  void saved(String name) {
    ask(new Rendezvous.Message(Rendezvous.Kind.STATE, 0, JSON.valueToTree(name)));
  }

  /** Tells whether the driver wants the stage to end after the segment. */
  boolean askedToEnd() {
    return ask(new Rendezvous.Message(Rendezvous.Kind.ASK_END, 0, null), Boolean.class);
  }

  /** Leaves a worker's failure. */
  void fail(WorkerFailure failure) {
    ask(new Rendezvous.Message(Rendezvous.Kind.FAILURE, failure.rank(), JSON.valueToTree(failure)));
  }

  /** Leaves what led to a worker's NaN or infinity, as JSON. */
  void dump(int rank, String record) {
    ask(new Rendezvous.Message(Rendezvous.Kind.DUMP, rank, JSON.valueToTree(record)));
  }

  private void ask(Rendezvous.Message message) {
    ask(message, Boolean.class);
  }

  private <T> T ask(Rendezvous.Message message, Class<T> answer) {
    try {
      ByteBuffer sent = ByteBuffer.wrap(JSON.writeValueAsBytes(message));
      ByteBuffer answered = driver.sendRpcSync(sent, deadline.toMillis());
      return JSON.readValue(StandardCharsets.UTF_8.decode(answered).toString(), answer);
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException("The driver and a worker do not understand each other", e);
    }
  }

  @Override
  public void close() {
    network.close();
  }
}
