package org.latentspark.averaging;

import org.latentspark.exchange.Wire;

/**
 * What a training takes, by the arithmetic with which its workers look before they start.
 *
 * @param parameters of the model
 * @param plan how averaging runs
 * @param writing whether states are copied before they are written
 */
public record TrainingSize(long parameters, AveragingPlan plan, StateStore.Writing writing) {
  /** Returns a vector's bytes: fp32 of each parameter. */
  public long vectorBytes() {
    return parameters * Float.BYTES;
  }

  /** Returns how many vectors a worker keeps in memory. */
  public int residentVectors() {
    return plan.residentVectors();
  }

  /** Returns what a worker needs at least outside of the Java heap, activations as one vector. */
  public long workerBytes() {
    return WorkerMemory.need(parameters, residentVectors());
  }

  /** Returns what a worker on a GPU needs beside it, in the host's memory. */
  public long besideGpuBytes() {
    return WorkerMemory.needBesideGpu(parameters, 1);
  }

  /** Returns what the one worker that writes checkpoints needs besides. */
  public long copyBytes() {
    return vectorBytes() * copiedVectors(writing, plan);
  }

  /** Returns the bytes of a worker's files in {@code averaging.vector-folder}. */
  public long fileBytes() {
    int overlapping = plan.overlapSteps() > 0 ? 2 : 0;
    return plan.vectors().inFiles() ? vectorBytes() * (stateVectors(plan) + overlapping) : 0;
  }

  /** Returns about the bytes of a checkpoint: weights, their moving average, optimizer state. */
  public long checkpointBytes() {
    return vectorBytes() * stateVectors(plan);
  }

  /**
   * Returns what each worker sends, and as much receives, in a round's average: a ring passes 2 (N
   * - 1) / N of the vector (Patarasuk and Yuan, "Bandwidth optimal all-reduce algorithms", 2009).
   */
  public long exchangeBytes() {
    int number = plan.wire() == Wire.BF16 ? 2 : Float.BYTES;
    return ringBytes((double) parameters * number);
  }

  /** Returns the same of the inner moments, once a segment, always in fp32. */
  public long momentsExchangeBytes() {
    return ringBytes((double) vectorBytes() * plan.optimizer().moments());
  }

  private long ringBytes(double bytes) {
    return Math.round(2.0 * (plan.workers() - 1) / plan.workers() * bytes);
  }

  /** Average, moving average and what the optimizers keep. */
  private static int stateVectors(AveragingPlan plan) {
    return 2 + plan.optimizer().moments() + plan.outer().vectors();
  }

  /** Returns how many vectors are copied before a state is written. */
  static int copiedVectors(StateStore.Writing writing, AveragingPlan plan) {
    boolean copies = writing == StateStore.Writing.BACKGROUND && !plan.vectors().inFiles();
    return copies ? stateVectors(plan) : 0;
  }
}
