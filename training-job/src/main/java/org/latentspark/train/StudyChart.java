package org.latentspark.train;

import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/** Draws the runs of a {@link FrequencyStudy} as SVG: a column a number of workers. */
final class StudyChart {
  private static final int WIDTH = 300;
  private static final int HEIGHT = 200;
  private static final int MARGIN = 50;
  private static final List<String> COLORS =
      List.of("#1b6ca8", "#d1495b", "#2e8b57", "#8f5fb0", "#b8860b", "#444444");

  private final List<FrequencyStudy.Run> runs;
  private final List<Integer> frequencies;
  private final double lowest;
  private final double highest;
  private final StringBuilder svg = new StringBuilder();

  private StudyChart(List<FrequencyStudy.Run> runs) {
    this.runs = runs;
    this.frequencies = runs.stream().map(FrequencyStudy.Run::frequency).distinct().toList();
    // The first measurement, of starting values, would press all others together.
    List<Double> losses =
        runs.stream()
            .flatMap(run -> run.points().stream().skip(1))
            .map(FrequencyStudy.Point::heldOut)
            .filter(loss -> Double.isFinite(loss))
            .toList();
    lowest = losses.stream().mapToDouble(loss -> loss).min().orElse(0);
    highest = losses.stream().mapToDouble(loss -> loss).max().orElse(1);
  }

  /** Returns the drawing: against examples above, against bytes on a logarithmic scale below. */
  static String draw(List<FrequencyStudy.Run> runs) {
    return new StudyChart(runs).drawn();
  }

  private String drawn() {
    List<Integer> workers = runs.stream().map(FrequencyStudy.Run::workers).distinct().toList();
    int width = workers.size() * (WIDTH + MARGIN) + MARGIN;
    int height = 2 * (HEIGHT + MARGIN) + 2 * MARGIN;
    append(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\""
            + " font-size=\"11\"><rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>%n",
        width, height);
    for (int column = 0; column < workers.size(); column++) {
      int count = workers.get(column);
      List<FrequencyStudy.Run> own = runs.stream().filter(run -> run.workers() == count).toList();
      int left = MARGIN + column * (WIDTH + MARGIN);
      String title = count == 1 ? "1 worker" : count + " workers";
      panel(own, left, MARGIN, title + ": held-out loss by examples", point -> point.examples());
      if (count > 1) {
        panel(
            own,
            left,
            2 * MARGIN + HEIGHT,
            title + ": by bytes sent by each, powers of 10",
            point -> Math.log10(point.bytes()));
      }
    }
    legend(2 * (HEIGHT + MARGIN) + MARGIN);
    return svg.append("</svg>\n").toString();
  }

  private void panel(
      List<FrequencyStudy.Run> own,
      int left,
      int top,
      String title,
      ToDoubleFunction<FrequencyStudy.Point> place) {
    double from = own.stream().flatMap(r -> r.points().stream()).mapToDouble(place).min().orElse(0);
    double to = own.stream().flatMap(r -> r.points().stream()).mapToDouble(place).max().orElse(1);
    append("<text x=\"%d\" y=\"%d\">%s</text>%n", left, top - 6, title);
    append(
        "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" stroke=\"#999\"/>%n",
        left, top, WIDTH, HEIGHT);
    append("<text x=\"%d\" y=\"%d\">%.3g</text>%n", left - 38, top + 10, highest);
    append("<text x=\"%d\" y=\"%d\">%.3g</text>%n", left - 38, top + HEIGHT, lowest);
    append("<text x=\"%d\" y=\"%d\">%.4g</text>%n", left, top + HEIGHT + 14, from);
    append(
        "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.4g</text>%n",
        left + WIDTH, top + HEIGHT + 14, to);
    for (FrequencyStudy.Run run : own) {
      String line =
          run.points().stream()
              .filter(point -> Double.isFinite(point.heldOut()))
              .map(
                  point ->
                      String.format(
                          Locale.ROOT,
                          "%.1f,%.1f",
                          left + WIDTH * share(place.applyAsDouble(point), from, to),
                          top + HEIGHT * (1 - share(point.heldOut(), lowest, highest))))
              .collect(Collectors.joining(" "));
      append(
          "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\"%s points=\"%s\"/>%n",
          color(run.frequency()), dashes(run.outer()), line);
    }
  }

  private void legend(int top) {
    int left = MARGIN;
    for (int frequency : frequencies) {
      append(
          "<text x=\"%d\" y=\"%d\" fill=\"%s\">H = %d</text>%n",
          left, top + 10, color(frequency), frequency);
      left += 70;
    }
    append(
        "<text x=\"%d\" y=\"%d\">solid: plain averaging; dashed: Nesterov</text>%n",
        left, top + 10);
  }

  private String color(int frequency) {
    return COLORS.get(frequencies.indexOf(frequency) % COLORS.size());
  }

  private static String dashes(String outer) {
    return outer.equals("plain") ? "" : " stroke-dasharray=\"5 3\"";
  }

  private static double share(double value, double from, double to) {
    return Math.max(0, Math.min(1, (value - from) / Math.max(1e-12, to - from)));
  }

  private void append(String format, Object... values) {
    svg.append(String.format(Locale.ROOT, format, values));
  }
}
