package org.latentspark.averaging;

import java.io.Serializable;
import org.deeplearning4j.spark.api.TrainingResult;
import org.deeplearning4j.spark.api.stats.SparkTrainingStats;

/** What a worker returns at the end of a segment; the parameters went through the state store. */
public final class AveragingResult implements TrainingResult, Serializable {
  private static final long serialVersionUID = 1;
  private final StateStore.Progress progress;

  AveragingResult(StateStore.Progress progress) {
    this.progress = progress;
  }

  /** Returns how far the run has come. */
  public StateStore.Progress progress() {
    return progress;
  }

  @Override
  public void setStats(SparkTrainingStats stats) {
    // This project's figures travel in RoundReport.
  }
}
