package org.latentspark.averaging;

import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import java.util.function.ToDoubleFunction;
import org.apache.spark.SparkEnv;
import org.apache.spark.metrics.source.Source;

/**
 * The source {@code latentspark} of Spark's metrics system, on the driver and on every executor:
 * the newest round's figures, for whichever sinks the cluster has.
 */
public final class RunMetrics implements Source {
  private static SparkEnv environment;
  private static RunMetrics current;

  private final MetricRegistry registry = new MetricRegistry();
  private volatile RoundReport newest;

  private RunMetrics() {
    gauge("round", RoundReport::round);
    gauge("step", RoundReport::step);
    gauge("examples", RoundReport::examples);
    gauge("loss", RoundReport::loss);
    gauge("gradientNorm", RoundReport::gradientNorm);
    gauge("learningRate", RoundReport::learningRate);
    gauge("examplesPerSecond", RoundReport::examplesPerSecond);
    gauge("exchangeShare", RoundReport::exchangeShare);
    registry.register("residentMebibytes", (Gauge<Double>) ResidentMemory::mebibytes);
  }

  /** Returns this process's source, known to Spark from the first call on. */
  public static synchronized RunMetrics here() {
    SparkEnv now = SparkEnv.get();
    if (current == null || environment != now) {
      environment = now;
      current = new RunMetrics();
      now.metricsSystem().registerSource(current);
    }
    return current;
  }

  /** Shows a round's figures from now on. */
  public void round(RoundReport report) {
    newest = report;
  }

  private void gauge(String name, ToDoubleFunction<RoundReport> figure) {
    registry.register(
        name,
        (Gauge<Double>)
            () -> {
              RoundReport report = newest;
              return report == null ? Double.NaN : figure.applyAsDouble(report);
            });
  }

  @Override
  public String sourceName() {
    return "latentspark";
  }

  @Override
  public MetricRegistry metricRegistry() {
    return registry;
  }
}
