package org.latentspark.averaging;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.latentspark.model.TorchModel;
import org.latentspark.tensor.BackgroundThreads;
import org.latentspark.tensor.VectorMemory;

/**
 * Keeps a run's states in the store, in the background from a copy of their vectors while training
 * goes on; no more than one is under way, and a failure is told no later than at the next.
 */
final class StateWriter implements AutoCloseable {
  private final StateStore store;
  private final TorchModel model;
  private final AveragingPlan plan;
  private final Consumer<String> complete;
  private final ExecutorService background = BackgroundThreads.one("state-writer");
  private TrainingVectors copy;
  private Future<String> outstanding;
  private String newest;

  /**
   * Makes a writer.
   *
   * @param plan says how long {@link #write} and {@link #await} wait for the state before
   * @param complete hears the name of each state that is complete, on the thread of the calls
   */
  StateWriter(StateStore store, TorchModel model, AveragingPlan plan, Consumer<String> complete) {
    this.store = store;
    this.model = model;
    this.plan = plan;
    this.complete = complete;
  }

  /**
   * Keeps a state; the vectors may change as soon as this returns.
   *
   * @throws IOException when this state, or the one before, cannot be written
   */
  void write(TrainingVectors vectors, StateStore.Progress progress) throws IOException {
    await();
    if (!copies(store, plan)) {
      written(store.save(model, vectors, progress));
      return;
    }
    if (copy == null) {
      copy = emptyLike(vectors);
    }
    copyInto(copy, vectors);
    outstanding = background.submit(() -> store.save(model, copy, progress));
  }

  /**
   * Looks whether the state that was under way is complete.
   *
   * @throws IOException when it could not be written
   */
  void look() throws IOException {
    if (outstanding != null && outstanding.isDone()) {
      await();
    }
  }

  private void written(String name) {
    newest = name;
    complete.accept(name);
  }

  /**
   * Waits until no state is under way and returns the name of the newest, or null without any.
   *
   * @throws IOException when it cannot be written, or is not by the deadline
   */
  String await() throws IOException {
    if (outstanding == null) {
      return newest;
    }
    try {
      String name = outstanding.get(plan.deadline().toMillis(), TimeUnit.MILLISECONDS);
      outstanding = null;
      written(name);
      return newest;
    } catch (ExecutionException e) {
      outstanding = null;
      throw new IOException("A checkpoint was not written: " + e.getCause(), e.getCause());
    } catch (TimeoutException e) {
      throw new IOException("A checkpoint was not written within " + plan.deadline(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("Interrupted while a checkpoint was written", e);
    }
  }

  /** Returns how many vectors of the parameters' length a writer takes beside the worker's. */
  static int vectors(StateStore store, AveragingPlan plan) {
    return TrainingSize.copiedVectors(store.writing(), plan);
  }

  /** Tells whether states are copied; vectors that are in files for want of memory are not. */
  private static boolean copies(StateStore store, AveragingPlan plan) {
    return vectors(store, plan) > 0;
  }

  /** Makes vectors on the CPU, whatever the worker computes on. */
  private static TrainingVectors emptyLike(TrainingVectors vectors) {
    Map<String, Tensor> moments = new LinkedHashMap<>();
    try (PointerScope scope = new PointerScope()) {
      vectors.moments().forEach((name, moment) -> moments.put(name, torch.empty(moment.numel())));
      Tensor average = torch.empty(vectors.average().numel());
      average.retainReference();
      moments.values().forEach(Tensor::retainReference);
      return new TrainingVectors(average, moments, VectorMemory.RESIDENT);
    }
  }

  private static void copyInto(TrainingVectors target, TrainingVectors source) {
    target.average().copy_(source.average());
    target.movingAverage().copy_(source.movingAverage());
    target.moments().forEach((name, moment) -> moment.copy_(source.moments().get(name)));
  }

  /** Waits for a state that is under way: libtorch's memory must not go while it is read. */
  @Override
  public void close() {
    BackgroundThreads.finish(background);
    if (copy != null) {
      copy.average().releaseReference();
      copy.moments().values().forEach(Tensor::releaseReference);
      copy.close();
    }
  }
}
