package org.latentspark.report;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import java.util.Objects;
import java.util.function.ToDoubleFunction;
import org.latentspark.averaging.RoundReport;

/** The columns that the page's charts draw, as JSON. */
final class Curves {
  /** More points than a wide screen has pixels would only make the page large. */
  static final int MOST_POINTS = 4000;

  private static final MathContext DIGITS = new MathContext(5);

  private Curves() {}

  /** Returns a column a figure, all as long as {@code step}; null where there is no number. */
  static ObjectNode of(Rounds rounds) {
    List<List<RoundReport>> stretches = rounds.stretches(MOST_POINTS);
    double[] loss = means(stretches, RoundReport::loss);
    int window = window(loss.length);
    ObjectNode curves = JsonNodeFactory.instance.objectNode();
    ArrayNode steps = curves.putArray("step");
    stretches.forEach(stretch -> steps.add(stretch.get(stretch.size() - 1).step()));
    curves.set("loss", column(loss));
    curves.set("smoothLoss", column(smooth(loss, window / 2)));
    curves.put("smoothing", (long) window * rounds.reports().size() / Math.max(1, loss.length));
    ArrayNode heldOut = curves.putArray("heldOut");
    stretches.forEach(stretch -> add(heldOut, lastValidation(stretch)));
    curves.set("learningRate", column(means(stretches, RoundReport::learningRate)));
    curves.set("gradientNorm", column(means(stretches, RoundReport::gradientNorm)));
    curves.set("examplesPerSecond", column(means(stretches, RoundReport::examplesPerSecond)));
    curves.set(
        "forward", column(means(stretches, report -> report.dataShare() + report.lossShare())));
    curves.set("backward", column(means(stretches, RoundReport::backwardShare)));
    curves.set("optimizer", column(means(stretches, RoundReport::optimizerShare)));
    curves.set("exchange", column(means(stretches, RoundReport::exchangeShare)));
    curves.set("memory", column(means(stretches, RoundReport::residentMebibytes)));
    return curves;
  }

  /** About a twenty-fifth of the run: odd, and 1 where there is too little to smooth. */
  private static int window(int points) {
    return points < 10 ? 1 : 2 * Math.max(1, points / 50) + 1;
  }

  /**
   * Returns centred means. The window shrinks on both sides at the start, where losses fall too
   * steeply for a lopsided one, and on the right only at the end, where the newest ones are noisy.
   */
  static double[] smooth(double[] values, int half) {
    double[] means = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      int left = Math.max(0, i - half);
      int right = Math.min(values.length - 1, i + Math.min(half, i));
      double sum = 0;
      int count = 0;
      for (int j = left; j <= right; j++) {
        if (Double.isFinite(values[j])) {
          sum += values[j];
          count++;
        }
      }
      means[i] = count == 0 ? Double.NaN : sum / count;
    }
    return means;
  }

  private static double[] means(
      List<List<RoundReport>> stretches, ToDoubleFunction<RoundReport> figure) {
    return stretches.stream()
        .mapToDouble(
            stretch ->
                stretch.stream()
                    .mapToDouble(figure)
                    .filter(Double::isFinite)
                    .average()
                    .orElse(Double.NaN))
        .toArray();
  }

  private static double lastValidation(List<RoundReport> stretch) {
    return stretch.stream()
        .map(RoundReport::validationLoss)
        .filter(Objects::nonNull)
        .reduce((earlier, later) -> later)
        .orElse(Double.NaN);
  }

  private static ArrayNode column(double[] values) {
    ArrayNode column = JsonNodeFactory.instance.arrayNode();
    for (double value : values) {
      add(column, value);
    }
    return column;
  }

  private static void add(ArrayNode column, double value) {
    if (Double.isFinite(value)) {
      column.add(new BigDecimal(value).round(DIGITS).doubleValue());
    } else {
      column.addNull();
    }
  }
}
