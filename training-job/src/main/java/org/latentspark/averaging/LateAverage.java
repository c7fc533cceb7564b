package org.latentspark.averaging;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.latentspark.tensor.BackgroundThreads;
import org.latentspark.tensor.StoppedException;
import org.latentspark.tensor.VectorMemory;

/**
 * An average that is exchanged while its worker goes on with the next round's first steps (Shen et
 * al., "Faster distributed deep net training: computation and communication decoupled stochastic
 * gradient descent", 2019).
 *
 * <pre>
 * departure := x;  average := outer(average, mean of what all changed)   -- in the background
 * x := inner steps from x                                                -- meanwhile
 * x := x + (average - departure)                                         -- after a set number of them
 * </pre>
 *
 * The number of steps is part of the plan, not of the clock: runs are the same to the bit.
 */
final class LateAverage implements AutoCloseable {
  private final VectorMemory memory;
  private final ExecutorService thread = BackgroundThreads.one("average");
  private Tensor departure;
  private Tensor travelling;
  private Future<?> underWay;

  /** Makes one whose two vectors, once it is used, live in {@code memory}. */
  LateAverage(VectorMemory memory) {
    this.memory = memory;
  }

  /**
   * Lets an average of {@code values} [n] depart.
   *
   * @param exchange moves the average by a replica's values, and sets these to it
   */
  void depart(Tensor values, Consumer<Tensor> exchange) {
    if (departure == null) {
      departure = memory.zeros(values.numel());
      travelling = memory.zeros(values.numel());
    }
    departure.copy_(values);
    travelling.copy_(values);
    underWay = thread.submit(() -> exchange.accept(travelling));
  }

  /**
   * Waits for the average that is under way, if any, and moves {@code values} to it, with what the
   * steps since its departure have changed.
   */
  void arrive(Tensor values) {
    if (underWay == null) {
      return;
    }
    try {
      underWay.get();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof RuntimeException cause
          ? cause
          : new IllegalStateException("The exchange failed", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StoppedException("Interrupted while an average was under way");
    } finally {
      underWay = null;
    }
    try (PointerScope scope = new PointerScope()) {
      values.add_(travelling.sub_(departure));
    }
  }

  /** Ends an exchange that is under way. */
  @Override
  public void close() {
    thread.shutdownNow();
    BackgroundThreads.finish(thread);
    if (departure != null) {
      departure.releaseReference();
      travelling.releaseReference();
    }
  }
}
