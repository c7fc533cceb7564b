package org.latentspark.averaging;

import java.io.IOException;
import java.io.Serializable;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.latentspark.model.TorchModel;

/** What a run minimizes: a loss of a model on examples, opened anew on each worker. */
public interface Objective extends Serializable {
  /**
   * Opens the objective on a worker.
   *
   * @param model the worker's replica, whose parameters change between calls
   * @param shards the paths given to the training master, the same on every worker
   * @param rank this worker, 0 to {@code workers - 1}
   * @throws IOException when the examples cannot be read; another attempt may succeed
   */
  Session open(TorchModel model, List<String> shards, int rank, int workers) throws IOException;

  /** An objective at work on one worker. */
  interface Session extends AutoCloseable {
    /** Returns how many examples one step takes. */
    int batchSize();

    /**
     * Returns the scalar loss of a step's batch, the mean over its examples, with its graph.
     *
     * <p>Every random draw depends only on the run's seed, the rank and the step, so a rerun
     * repeats it.
     *
     * @param step the local step, counted from 0 over the whole run; a round that is retried asks
     *     for steps far beyond the run's end
     */
    Tensor loss(long step);

    /** Returns the keys of a step's examples, where they have any. */
    default List<String> keys(long step) {
      return List.of();
    }

    /**
     * Returns the loss over this worker's part of the held-out examples, with noise that is the
     * same at every call, so that values can be compared over time.
     */
    Validation validate();

    @Override
    void close();
  }

  /** A sum of losses over held-out examples. */
  record Validation(double lossSum, long examples) {}
}
