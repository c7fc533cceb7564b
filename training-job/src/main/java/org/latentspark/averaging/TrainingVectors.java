package org.latentspark.averaging;

import java.util.Collections;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** The whole numeric state of a run between two segments: flat vectors of one length. */
public final class TrainingVectors implements AutoCloseable {
  private final Tensor average;
  private final Tensor movingAverage;
  private final Map<String, Tensor> moments;

  TrainingVectors(Tensor average, Map<String, Tensor> moments) {
    this.average = average;
    this.moments = moments;
    try (PointerScope scope = new PointerScope()) {
      this.movingAverage = torch.empty(average.numel());
      movingAverage.retainReference();
    }
  }

  /** Returns the averaged parameters [n]. */
  public Tensor average() {
    return average;
  }

  /** Returns the exponential moving average of the averaged parameters [n]. */
  public Tensor movingAverage() {
    return movingAverage;
  }

  /** Returns the inner optimizer's moments [n] by name. */
  public Map<String, Tensor> moments() {
    return Collections.unmodifiableMap(moments);
  }

  @Override
  public void close() {
    movingAverage.releaseReference();
  }
}
