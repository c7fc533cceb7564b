package org.latentspark.averaging;

import java.io.Serializable;
import org.deeplearning4j.spark.api.TrainingResult;
import org.deeplearning4j.spark.api.stats.SparkTrainingStats;

/** What a worker returns at the end of a stage; the parameters went through the state store. */
public final class AveragingResult implements TrainingResult, Serializable {
  private static final long serialVersionUID = 1;
  private final StateStore.Progress progress;
  private final String state;

  AveragingResult(StateStore.Progress progress, String state) {
    this.progress = progress;
    this.state = state;
  }

  /** Returns how far the run has come. */
  public StateStore.Progress progress() {
    return progress;
  }

  /** Returns the name of the newest state, from worker 0; the others return the first. */
  public String state() {
    return state;
  }

  @Override
  public void setStats(SparkTrainingStats stats) {
    // This project's figures travel in RoundReport.
  }
}
