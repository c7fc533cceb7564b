package org.latentspark.report;

import java.util.List;
import org.latentspark.cli.Figures;

/** The sample grids over training: all below each other, or one at a time under a slider. */
final class SamplesSection {
  private SamplesSection() {}

  /** Returns one slider over the steps of all runs, and the runs' grids side by side. */
  static String html(List<RunRecord> runs) {
    long steps =
        runs.stream()
            .flatMap(run -> run.grids().stream())
            .mapToLong(SampleGrid::step)
            .distinct()
            .count();
    if (steps == 0) {
      return "<p class=\"none\">%s has drawn no samples.</p>%n"
          .formatted(runs.size() == 1 ? "The run" : "No run");
    }
    StringBuilder html = new StringBuilder();
    if (steps > 1) {
      html.append(
          """
          <div class="slider" hidden>
            <label for="grid">Step</label>
            <input id="grid" type="range" min="0" max="%d" value="%d">
            <output for="grid"></output>
          </div>
          """
              .formatted(steps - 1, steps - 1));
    }
    html.append("<div class=\"beside\">\n");
    for (RunRecord run : runs) {
      html.append("<div class=\"grids\">\n");
      if (runs.size() > 1) {
        html.append("<h3>" + Html.text(run.name()) + "</h3>\n");
      }
      run.grids().forEach(grid -> html.append(figure(grid)));
      html.append("</div>\n");
    }
    return html.append("</div>\n").toString();
  }

  private static String figure(SampleGrid grid) {
    String step = Figures.whole(grid.step());
    return """
        <figure data-step="%d">
          <img src="%s" alt="Pictures drawn after step %s: %s">
          <figcaption>Step %s%s</figcaption>
        </figure>
        """
        .formatted(
            grid.step(),
            grid.picture(),
            step,
            Html.text(String.join("; ", grid.prompts())),
            step,
            Html.text(grid.settings().isEmpty() ? "" : ": " + settings(grid)));
  }

  private static String settings(SampleGrid grid) {
    return String.join(", ", grid.settings());
  }
}
