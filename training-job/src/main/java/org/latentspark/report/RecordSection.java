package org.latentspark.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.latentspark.cli.Figures;

/** What makes a run repeatable: checkpoints, configuration, versions. */
final class RecordSection {
  private static final Set<String> SHOWN_ELSEWHERE = Set.of("progress", "config");

  private static final MathContext DIGITS = new MathContext(6);

  private RecordSection() {}

  static String checkpoints(RunRecord run) {
    if (run.checkpoints().isEmpty()) {
      return "<p class=\"none\">None yet.</p>\n";
    }
    List<List<String>> rows = new ArrayList<>();
    for (SavedState checkpoint : run.checkpoints()) {
      JsonNode progress = checkpoint.progress();
      rows.add(
          List.of(
              "<code>" + Html.text(checkpoint.name()) + "</code>",
              Figures.whole(progress.path("round").asLong()),
              Figures.whole(progress.path("examples").asLong()),
              Figures.whole(progress.path("workers").asLong()),
              Figures.bytes(checkpoint.bytes()),
              checkpoint.complete() ? "complete" : Html.text(checkpoint.problem())));
    }
    return Html.table(
        List.of("Checkpoint", "#Averages", "#Examples", "#Workers", "#Size", "Files"), rows);
  }

  static String figures(RunRecord run) {
    StringBuilder html = new StringBuilder();
    run.figures().forEach((name, figures) -> html.append(details(name, figures, " open")));
    return html.toString();
  }

  static String configuration(RunRecord run) {
    StringBuilder html = new StringBuilder();
    if (run.configuration().isMissingNode()) {
      html.append("<p class=\"none\">No complete checkpoint records it yet.</p>\n");
    } else {
      html.append(details("Settings of the run", run.configuration(), ""));
    }
    run.model().configurations().forEach((name, json) -> html.append(details(name, json, "")));
    return html.toString();
  }

  static String versions(RunRecord run) {
    List<List<String>> rows = new ArrayList<>();
    run.state()
        .properties()
        .forEach(
            entry -> {
              if (!SHOWN_ELSEWHERE.contains(entry.getKey())) {
                leaves(entry.getKey(), entry.getValue(), rows);
              }
            });
    String version = ReportJob.class.getPackage().getImplementationVersion();
    if (version != null) {
      rows.add(List.of("report: LatentSpark", Html.text(version)));
    }
    rows.add(
        List.of("report: Spark", Html.text(org.apache.spark.package$.MODULE$.SPARK_VERSION())));
    rows.add(List.of("report: Java", Html.text(Runtime.version())));
    rows.add(List.of("report: uPlot", Page.UPLOT_VERSION));
    return Html.table(List.of("Item", "Value"), rows);
  }

  private static String details(String name, JsonNode json, String state) {
    List<List<String>> rows = new ArrayList<>();
    leaves("", json, rows);
    return "<details%s><summary>%s</summary>%s</details>%n"
        .formatted(state, Html.text(name), Html.table(List.of("Key", "Value"), rows));
  }

  private static void leaves(String path, JsonNode json, List<List<String>> rows) {
    if (json.isObject()) {
      for (Map.Entry<String, JsonNode> field : json.properties()) {
        leaves(
            path.isEmpty() ? field.getKey() : path + "." + field.getKey(), field.getValue(), rows);
      }
      return;
    }
    String value = json.isTextual() ? json.asText() : json.toString();
    if (json.isFloatingPointNumber()) {
      value = new BigDecimal(value).round(DIGITS).stripTrailingZeros().toPlainString();
    }
    rows.add(List.of("<code>" + Html.text(path) + "</code>", Html.text(value)));
  }
}
