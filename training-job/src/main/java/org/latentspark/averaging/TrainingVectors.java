package org.latentspark.averaging;

import java.util.Collections;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.latentspark.tensor.VectorMemory;

/** The whole numeric state of a run between two segments: flat vectors of one length. */
public final class TrainingVectors implements AutoCloseable {
  private final Tensor average;
  private final Tensor movingAverage;
  private final Map<String, Tensor> moments;

  TrainingVectors(Tensor average, Map<String, Tensor> moments, VectorMemory memory) {
    this.average = average;
    this.moments = moments;
    this.movingAverage = memory.zeros(average.numel());
  }

  /** Returns the averaged parameters [n]. */
  public Tensor average() {
    return average;
  }

  /** Returns the exponential moving average of the averaged parameters [n]. */
  public Tensor movingAverage() {
    return movingAverage;
  }

  /** Returns the state of the inner and the outer optimizer, vectors [n] by name. */
  public Map<String, Tensor> moments() {
    return Collections.unmodifiableMap(moments);
  }

  @Override
  public void close() {
    movingAverage.releaseReference();
  }
}
