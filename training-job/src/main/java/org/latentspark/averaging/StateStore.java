package org.latentspark.averaging;

import java.io.IOException;
import java.io.Serializable;
import org.latentspark.model.TorchModel;

/** Where a segment's starting state comes from and its final state goes, on every worker alike. */
public interface StateStore extends Serializable {
  /**
   * Fills the vectors with the state in which the segment starts.
   *
   * @return how many rounds the state has behind it
   * @throws IOException when the state cannot be read
   */
  long restore(TorchModel model, TrainingVectors vectors) throws IOException;

  /**
   * Keeps the state in which the segment ended; only worker 0 calls it.
   *
   * @param progress what the state has behind it
   * @throws IOException when the state cannot be written; the segment is then lost
   */
  void save(TorchModel model, TrainingVectors vectors, Progress progress) throws IOException;

  /** How far a run has come. */
  record Progress(long round, long step, long examples, int workers) implements Serializable {}
}
