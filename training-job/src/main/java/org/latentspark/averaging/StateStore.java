package org.latentspark.averaging;

import java.io.IOException;
import java.io.Serializable;
import org.latentspark.model.TorchModel;

/**
 * Where a run's starting state comes from and the state after each segment goes.
 *
 * <p>The driver names the state once, so that all workers start from the same, and none of them
 * looks for it again.
 */
public interface StateStore extends Serializable {
  /** The name of the state of a run that has made no step. */
  String START = "";

  /** Whether worker 0 trains on while a state of it is kept. */
  enum Writing {
    /** It trains on; the state is copied first, which takes as much memory again. */
    BACKGROUND,
    /** It waits, and the others for it. */
    BLOCKING
  }

  /** Returns whether worker 0 trains on while a state of it is kept. */
  default Writing writing() {
    return Writing.BACKGROUND;
  }

  /**
   * Returns the name of the newest state that is complete and undamaged, or {@link #START}; only
   * the driver calls it.
   *
   * @throws IOException when the states cannot be looked through
   */
  String newest() throws IOException;

  /**
   * Fills the vectors with a state, on every worker alike.
   *
   * @param state the name that {@link #newest} or {@link #save} gave
   * @return what the state has behind it
   * @throws IOException when the state cannot be read
   */
  Progress restore(String state, TorchModel model, TrainingVectors vectors) throws IOException;

  /**
   * Keeps the state in which a segment ended; only worker 0 calls it, on any thread.
   *
   * @param progress what the state has behind it
   * @return the state's name
   * @throws IOException when the state cannot be written; the segment is then lost
   */
  String save(TorchModel model, TrainingVectors vectors, Progress progress) throws IOException;

  /**
   * How far a run has come.
   *
   * @param round averages
   * @param step local steps of one worker
   * @param examples examples of all workers
   * @param workers workers of the last segment
   */
  record Progress(long round, long step, long examples, int workers) implements Serializable {
    /** No step made. */
    public static final Progress NONE = new Progress(0, 0, 0, 0);
  }
}
