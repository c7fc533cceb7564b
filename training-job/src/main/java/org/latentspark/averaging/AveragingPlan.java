package org.latentspark.averaging;

import java.io.Serializable;
import java.time.Duration;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.latentspark.exchange.Place;
import org.latentspark.exchange.Wire;
import org.latentspark.tensor.Precision;
import org.latentspark.tensor.VectorMemory;

/**
 * How parameter averaging runs: local SGD with periodic averages (Stich, "Local SGD converges fast
 * and communicates little", 2019).
 *
 * @param workers replicas, one a Spark task
 * @param frequency H, the local steps between two averages
 * @param segmentRounds averages in one barrier stage, after which a checkpoint is written
 * @param rounds averages of the whole run
 * @param learningRate the inner optimizer's rate by local step
 * @param optimizer the inner optimizer
 * @param clipNorm gradients are scaled down to this global norm; 0 leaves them
 * @param emaDecay decay of the moving average of the parameters per local step
 * @param validationRounds averages between two validations
 * @param precision the arithmetic of the forward pass
 * @param threads libtorch threads of one worker
 * @param deadline how long a collective waits for a silent peer
 * @param accumulate batches whose gradients one local step adds up
 * @param outer what turns the mean of the workers' differences into the next average
 * @param wire the format of the differences on their way
 * @param overlapSteps local steps that the workers go on with while an average is exchanged; 0
 *     waits for it
 * @param vectors where averages and moments live
 */
public record AveragingPlan(
    int workers,
    int frequency,
    int segmentRounds,
    long rounds,
    LearningRate learningRate,
    InnerOptimizer.Settings optimizer,
    double clipNorm,
    double emaDecay,
    int validationRounds,
    Precision precision,
    int threads,
    Duration deadline,
    int accumulate,
    OuterOptimizer.Settings outer,
    Wire wire,
    int overlapSteps,
    VectorMemory vectors)
    implements Serializable {

  /** Checks that counts are positive. */
  public AveragingPlan {
    requirePositive("workers", workers);
    requirePositive("frequency", frequency);
    requirePositive("segmentRounds", segmentRounds);
    requirePositive("rounds", rounds);
    requirePositive("validationRounds", validationRounds);
    requirePositive("threads", threads);
    requirePositive("accumulate", accumulate);
    if (overlapSteps < 0 || overlapSteps > frequency) {
      throw new IllegalArgumentException(
          "overlapSteps must be from 0 to frequency, " + frequency + ", not " + overlapSteps);
    }
  }

  /** Makes a plan of plain averaging, exchanged in fp32, one batch a step, all in memory. */
  public AveragingPlan(
      int workers,
      int frequency,
      int segmentRounds,
      long rounds,
      LearningRate learningRate,
      InnerOptimizer.Settings optimizer,
      double clipNorm,
      double emaDecay,
      int validationRounds,
      Precision precision,
      int threads,
      Duration deadline) {
    this(
        workers,
        frequency,
        segmentRounds,
        rounds,
        learningRate,
        optimizer,
        clipNorm,
        emaDecay,
        validationRounds,
        precision,
        threads,
        deadline,
        1,
        new OuterOptimizer.PlainSettings(),
        Wire.FP32,
        0,
        VectorMemory.RESIDENT);
  }

  /** Returns how many vectors of the parameters' length a worker keeps in memory. */
  int residentVectors() {
    int everyStep = 2; // values and gradients
    int averages = 2 + (overlapSteps > 0 ? 2 : 0);
    return vectors.inFiles()
        ? everyStep
        : everyStep + averages + optimizer.moments() + outer.vectors();
  }

  /** Returns this plan with its vectors where a worker computes. */
  AveragingPlan at(Place place) {
    return new AveragingPlan(
        workers,
        frequency,
        segmentRounds,
        rounds,
        learningRate,
        optimizer,
        clipNorm,
        emaDecay,
        validationRounds,
        precision,
        threads,
        deadline,
        accumulate,
        outer,
        wire,
        overlapSteps,
        place.type() == DeviceType.CUDA ? VectorMemory.onGpu(place.index()) : vectors);
  }

  private static void requirePositive(String name, long value) {
    if (value < 1) {
      throw new IllegalArgumentException(name + " must be at least 1, not " + value);
    }
  }
}
