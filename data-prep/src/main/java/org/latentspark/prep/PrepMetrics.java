package org.latentspark.prep;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import org.apache.spark.SparkEnv;
import org.apache.spark.metrics.source.Source;
import org.latentspark.filter.RejectReason;

/**
 * What is being done, for the sinks of Spark's metrics system: by an executor, under the name
 * {@code prep}, where a retried task counts again; and in all shards that are finished, on the
 * driver, under the name {@code prep-run}, where each pair counts once.
 */
final class PrepMetrics implements Source {
  private static final Map<String, PrepMetrics> REGISTERED = new HashMap<>();
  private static SparkEnv registeredWith;

  private final String name;
  private final MetricRegistry registry = new MetricRegistry();
  private final Counter shards = registry.counter("shards");
  private final Counter read = registry.counter("pairs.read");
  private final Counter encoded = registry.counter("pairs.encoded");
  private final Counter imageBytes = registry.counter("image-bytes");
  private final Counter encoderMillis = registry.counter("encoder-millis");
  private final Counter inFlight = registry.counter("fetch.in-flight");
  private final Map<RejectReason, Counter> rejected = new EnumMap<>(RejectReason.class);

  private PrepMetrics(String name) {
    this.name = name;
    for (RejectReason reason : RejectReason.values()) {
      rejected.put(reason, registry.counter("pairs.rejected." + reason.code()));
    }
  }

  /** Returns the figures of what this process does as an executor. */
  static PrepMetrics ofExecutor() {
    return registered("prep");
  }

  /** Returns the figures of the finished shards of the runs of this process as a driver. */
  static PrepMetrics ofRun() {
    return registered("prep-run");
  }

  private static synchronized PrepMetrics registered(String name) {
    SparkEnv environment = SparkEnv.get();
    if (environment != registeredWith) {
      REGISTERED.clear();
      registeredWith = environment;
    }
    return REGISTERED.computeIfAbsent(
        name,
        any -> {
          PrepMetrics metrics = new PrepMetrics(name);
          // A benchmark encodes without Spark.
          if (environment != null) {
            environment.metricsSystem().registerSource(metrics);
          }
          return metrics;
        });
  }

  @Override
  public String sourceName() {
    return name;
  }

  @Override
  public MetricRegistry metricRegistry() {
    return registry;
  }

  /** Counts a shard that is finished. */
  void add(FinishedShard shard) {
    shards.inc();
    read.inc(shard.contents().pairs());
    encoded.inc(shard.result().encoded());
    shard
        .result()
        .rejectedByReason()
        .forEach((reason, count) -> rejected(RejectReason.ofCode(reason)).inc(count));
    imageBytes.inc(shard.stats().bytes());
    encoderMillis.inc(Math.round(shard.stats().encodeSeconds() * 1e3));
  }

  /** Pairs that a task has taken up. */
  Counter read() {
    return read;
  }

  /** Pairs written to the dataset. */
  Counter encoded() {
    return encoded;
  }

  /** Pairs written as rejected. */
  Counter rejected(RejectReason reason) {
    return rejected.get(reason);
  }

  /** Bytes of files that have become images. */
  Counter imageBytes() {
    return imageBytes;
  }

  /** How long the encoder was at work. */
  Counter encoderMillis() {
    return encoderMillis;
  }

  /** Pairs that are being fetched or decoded, or wait for the encoder to take them. */
  Counter inFlight() {
    return inFlight;
  }
}
