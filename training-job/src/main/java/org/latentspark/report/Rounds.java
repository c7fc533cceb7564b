package org.latentspark.report;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import org.latentspark.averaging.RoundReport;

/**
 * The rounds of a run.
 *
 * @param reports one a round, in order
 * @param repeated rounds that a failure cost and that ran again; the last try counts
 * @param unreadable lines that hold no report
 */
record Rounds(List<RoundReport> reports, int repeated, int unreadable) {
  private static final JsonMapper JSON =
      JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  /** Reads the text of a {@code metrics.jsonl}. */
  static Rounds parse(String text) {
    TreeMap<Long, RoundReport> byRound = new TreeMap<>();
    int repeated = 0;
    int unreadable = 0;
    for (String line : text.lines().filter(line -> !line.isBlank()).toList()) {
      try {
        RoundReport report = JSON.readValue(line, RoundReport.class);
        repeated += byRound.put(report.round(), report) == null ? 0 : 1;
      } catch (JacksonException e) {
        unreadable++;
      }
    }
    return new Rounds(List.copyOf(byRound.values()), repeated, unreadable);
  }

  boolean isEmpty() {
    return reports.isEmpty();
  }

  RoundReport last() {
    return reports.get(reports.size() - 1);
  }

  /** Returns the rounds after which the held-out loss was measured. */
  List<RoundReport> validated() {
    return reports.stream()
        .filter(report -> report.validationLoss() != null)
        .filter(report -> Double.isFinite(report.validationLoss()))
        .toList();
  }

  /** Returns the wall clock of all rounds in seconds; what lies between segments is not in it. */
  double seconds() {
    double seconds = 0;
    long before = 0;
    for (RoundReport report : reports) {
      if (report.examplesPerSecond() > 0) {
        seconds += (report.examples() - before) / report.examplesPerSecond();
      }
      before = report.examples();
    }
    return seconds;
  }

  /** Returns the middle one of a figure's finite values. */
  double median(ToDoubleFunction<RoundReport> figure) {
    double[] values =
        reports.stream().mapToDouble(figure).filter(Double::isFinite).sorted().toArray();
    return values.length == 0 ? Double.NaN : values[values.length / 2];
  }

  /** Returns reports that stand for {@code most} stretches of the run, each stretch in order. */
  List<List<RoundReport>> stretches(int most) {
    int count = Math.min(most, reports.size());
    List<List<RoundReport>> stretches = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int from = (int) ((long) reports.size() * i / count);
      int to = (int) ((long) reports.size() * (i + 1) / count);
      stretches.add(reports.subList(from, to));
    }
    return stretches;
  }
}
