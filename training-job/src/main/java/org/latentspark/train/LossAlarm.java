package org.latentspark.train;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.Optional;
import org.latentspark.averaging.RoundReport;

/** Tells of a round whose loss stands out of the rounds before it. */
final class LossAlarm {
  private static final int ROUNDS = 50;
  private static final int FEWEST_ROUNDS = 10;
  private static final double DEVIATIONS = 6;

  /** Deviations are taken for no smaller than this share of the mean. */
  private static final double LEAST_DEVIATION = 0.05;

  private final Deque<Double> losses = new ArrayDeque<>();

  /** Looks at the next round's loss and returns what is wrong with it. */
  Optional<String> look(RoundReport report) {
    int rounds = losses.size();
    double mean = losses.stream().mapToDouble(Double::doubleValue).average().orElse(0);
    double variance =
        losses.stream().mapToDouble(loss -> (loss - mean) * (loss - mean)).average().orElse(0);
    double deviation = Math.max(Math.sqrt(variance), LEAST_DEVIATION * mean);
    losses.addLast(report.loss());
    if (losses.size() > ROUNDS) {
      losses.removeFirst();
    }
    if (rounds < FEWEST_ROUNDS || report.loss() <= mean + DEVIATIONS * deviation) {
      return Optional.empty();
    }
    return Optional.of(
        String.format(
            Locale.ROOT,
            "Loss spike: round %d gave %.4g, the %d rounds before it %.4g on average",
            report.round(),
            report.loss(),
            rounds,
            mean));
  }
}
