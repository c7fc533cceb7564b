package org.latentspark.averaging;

import com.fasterxml.jackson.annotation.JsonInclude;

/**
 * What the workers report after an average, each figure over all workers.
 *
 * @param round averages since the start of the run, this one included
 * @param step local steps of one worker since the start of the run
 * @param examples examples of all workers since the start of the run
 * @param loss mean training loss of the round
 * @param gradientNorm mean global norm of the gradients before clipping
 * @param learningRate the inner optimizer's rate at the last step
 * @param examplesPerSecond examples of all workers a second of the round's wall clock
 * @param dataShare share of the round's wall clock in waiting for examples
 * @param lossShare share in forward passes
 * @param backwardShare share in backward passes
 * @param optimizerShare share in clipping and the inner optimizer
 * @param exchangeShare share in the average, waiting for other workers included
 * @param residentMebibytes resident set of worker 0's process
 * @param validationLoss held-out loss of the moving average, or null where none was due
 * @param discarded how often the round was discarded for NaN or infinite values, or null for never
 * @param damagedFiles data files that workers could not read so far, counted by each of them, or
 *     null for none
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record RoundReport(
    long round,
    long step,
    long examples,
    double loss,
    double gradientNorm,
    double learningRate,
    double examplesPerSecond,
    double dataShare,
    double lossShare,
    double backwardShare,
    double optimizerShare,
    double exchangeShare,
    double residentMebibytes,
    Double validationLoss,
    Integer discarded,
    Integer damagedFiles) {

  /** Creates the report of a round on sound data. */
  public RoundReport(
      long round,
      long step,
      long examples,
      double loss,
      double gradientNorm,
      double learningRate,
      double examplesPerSecond,
      double dataShare,
      double lossShare,
      double backwardShare,
      double optimizerShare,
      double exchangeShare,
      double residentMebibytes,
      Double validationLoss,
      Integer discarded) {
    this(
        round,
        step,
        examples,
        loss,
        gradientNorm,
        learningRate,
        examplesPerSecond,
        dataShare,
        lossShare,
        backwardShare,
        optimizerShare,
        exchangeShare,
        residentMebibytes,
        validationLoss,
        discarded,
        null);
  }
}
