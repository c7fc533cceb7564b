package org.latentspark.averaging;

import java.io.IOException;
import java.io.Serializable;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.BarrierTaskContext;
import org.latentspark.exchange.Member;
import org.latentspark.exchange.Place;
import org.latentspark.exchange.Secret;
import org.latentspark.tensor.Natives;
import org.latentspark.tensor.Shutdown;
import scala.runtime.AbstractFunction1;

/** The function of the barrier stage's tasks; Scala's function type, so that Spark takes it. */
final class SegmentTask
    extends AbstractFunction1<
        scala.collection.Iterator<Integer>, scala.collection.Iterator<AveragingResult>>
    implements Serializable {
  private static final long serialVersionUID = 1;
  private final AveragingWorker worker;
  private final String driverHost;
  private final int port;
  private final Secret secret;
  private final Duration deadline;
  private final ComputeDevice device;

  SegmentTask(
      AveragingWorker worker,
      String driverHost,
      int port,
      Secret secret,
      Duration deadline,
      ComputeDevice device) {
    this.worker = worker;
    this.driverHost = driverHost;
    this.port = port;
    this.secret = secret;
    this.deadline = deadline;
    this.device = device;
  }

  @Override
  public scala.collection.Iterator<AveragingResult> apply(
      scala.collection.Iterator<Integer> ranks) {
    BarrierTaskContext context = BarrierTaskContext.get();
    int rank = context.partitionId();
    String address = context.getTaskInfos()[rank].address();
    String host = address.substring(0, address.lastIndexOf(':'));
    Natives.load();
    try (DriverLink driver = DriverLink.open(secret, driverHost, port, deadline)) {
      return train(context, driver, rank, host);
    }
  }

  private scala.collection.Iterator<AveragingResult> train(
      BarrierTaskContext context, DriverLink driver, int rank, String host) {
    try (Shutdown.Region region = Shutdown.enter()) {
      driver.started(rank);
      Place place = device.place(context.resourcesJMap(), rank);
      worker.requireMemory(
          place,
          (int)
              Arrays.stream(context.getTaskInfos())
                  .filter(other -> other.address().startsWith(host + ":"))
                  .count(),
          context.getTaskInfos()[0].address().startsWith(host + ":") ? 1 : 0);
      AveragingResult result =
          worker.train(
              new Seat(
                  driver,
                  new Member(driver, secret, host, rank, context.getTaskInfos().length, place),
                  () -> context.isInterrupted() || Shutdown.begun()));
      return scala.collection.JavaConverters.asScalaIterator(List.of(result).iterator());
    } catch (IOException | RuntimeException | Error e) {
      throw told(e, driver, rank, host);
    }
  }

  /** Leaves the failure for the driver, as far as it still listens. */
  private static IllegalStateException told(
      Throwable failure, DriverLink driver, int rank, String host) {
    WorkerFailure record = WorkerFailure.of(failure, rank, host);
    try {
      driver.fail(record);
    } catch (RuntimeException e) {
      failure.addSuppressed(e);
    }
    return new IllegalStateException(record.toString(), failure);
  }
}
