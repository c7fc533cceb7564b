package org.latentspark.report;

import java.util.List;

/** The sample grids over training: all below each other, or one at a time under a slider. */
final class SamplesSection {
  private SamplesSection() {}

  static String html(List<SampleGrid> grids) {
    if (grids.isEmpty()) {
      return "<p class=\"none\">The run has drawn no samples.</p>\n";
    }
    StringBuilder html = new StringBuilder();
    if (grids.size() > 1) {
      html.append(
          """
          <div class="slider" hidden>
            <label for="grid">Step</label>
            <input id="grid" type="range" min="0" max="%d" value="%d">
            <output for="grid"></output>
          </div>
          """
              .formatted(grids.size() - 1, grids.size() - 1));
    }
    html.append("<div class=\"grids\">\n");
    for (SampleGrid grid : grids) {
      String step = Html.whole(grid.step());
      html.append(
          """
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
                  Html.text(grid.settings().isEmpty() ? "" : ": " + settings(grid))));
    }
    return html.append("</div>\n").toString();
  }

  private static String settings(SampleGrid grid) {
    return String.join(", ", grid.settings());
  }
}
