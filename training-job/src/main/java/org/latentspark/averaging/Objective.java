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
    /**
     * Returns how many examples a batch has; 0 where this worker has none: it then makes no steps
     * and only takes part in the averages, with no weight.
     */
    int batchSize();

    /**
     * Waits for the examples of a batch, where they come by themselves; {@link #loss} may be called
     * without, but the wait then counts as its work.
     *
     * @param batch counted as {@link #loss} does
     */
    default void await(long batch) {}

    /**
     * Returns the scalar loss of a batch, the mean over its examples, with its graph.
     *
     * <p>Every random draw depends only on the run's seed, the rank and the batch, so a rerun
     * repeats it.
     *
     * @param batch counted from 0 over the whole run, one a local step, or more where gradients are
     *     accumulated; a round that is retried asks for batches far beyond the run's end
     */
    Tensor loss(long batch);

    /** Returns the keys of a batch's examples, where they have any. */
    default List<String> keys(long batch) {
      return List.of();
    }

    /** Returns how many data files this worker could not read so far. */
    default int damagedFiles() {
      return 0;
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
