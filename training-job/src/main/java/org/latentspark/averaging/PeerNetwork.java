package org.latentspark.averaging;

import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.network.TransportContext;
import org.apache.spark.network.client.TransportClient;
import org.apache.spark.network.client.TransportClientFactory;
import org.apache.spark.network.crypto.AuthClientBootstrap;
import org.apache.spark.network.crypto.AuthServerBootstrap;
import org.apache.spark.network.server.NoOpRpcHandler;
import org.apache.spark.network.server.RpcHandler;
import org.apache.spark.network.server.TransportServer;
import org.apache.spark.network.util.MapConfigProvider;
import org.apache.spark.network.util.TransportConf;
import org.latentspark.exchange.Secret;
import org.latentspark.tensor.StoppedException;

/**
 * One process's connections to the others of its stage, by Spark's network layer: each side proves
 * that it knows the {@link Secret} before it may say anything.
 */
final class PeerNetwork implements AutoCloseable {
  private static final String MODULE = "latentspark";

  private final TransportConf conf;
  private final Secret secret;
  private final TransportContext context;
  private TransportClientFactory clients;
  private TransportServer server;

  /**
   * Prepares connections.
   *
   * @param secret what both sides must know
   * @param deadline of each request
   * @param handler answers those who connect to {@link #listen}
   */
  PeerNetwork(Secret secret, Duration deadline, RpcHandler handler) {
    this.secret = secret;
    Map<String, String> settings = new HashMap<>(secret.crypto());
    // Those who wait know their deadline; this is for connections that nobody waits on.
    long quiet = Math.max(1, 2 * deadline.toSeconds());
    settings.put("spark." + MODULE + ".io.connectionTimeout", quiet + "s");
    // One thread receives and one sends: the processor's time belongs to the steps.
    settings.put("spark." + MODULE + ".io.serverThreads", "1");
    settings.put("spark." + MODULE + ".io.clientThreads", "1");
    conf = new TransportConf(MODULE, new MapConfigProvider(settings));
    context = new TransportContext(conf, handler);
  }

  /** Prepares connections of a process to which no other connects. */
  PeerNetwork(Secret secret, Duration deadline) {
    this(secret, deadline, new NoOpRpcHandler());
  }

  /** Lets others connect, on all addresses of this host; returns the port. */
  int listen() {
    server = context.createServer(List.of(new AuthServerBootstrap(conf, secret)));
    return server.getPort();
  }

  /**
   * Connects to a process that listens.
   *
   * @throws IOException when nobody answers there
   * @throws RuntimeException when one of the two does not know the other's secret
   */
  TransportClient connect(String host, int port) throws IOException {
    if (clients == null) {
      clients = context.createClientFactory(List.of(new AuthClientBootstrap(conf, MODULE, secret)));
    }
    try {
      return clients.createClient(host, port);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StoppedException("Interrupted while connecting to " + host + ":" + port);
    }
  }

  /** Closes all connections, from either side. */
  @Override
  public void close() {
    if (clients != null) {
      clients.close();
    }
    if (server != null) {
      server.close();
    }
    context.close();
  }
}
