package org.latentspark.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.latentspark.averaging.RoundReport;
import org.latentspark.cli.Figures;

/** What sets several runs apart: their results, and the settings in which they differ. */
final class SideBySide {
  private SideBySide() {}

  /** Returns the runs' results, a column a run. */
  static String summary(List<RunRecord> runs) {
    Map<String, Function<RunRecord, String>> facts = new LinkedHashMap<>();
    facts.put("Model", run -> Html.text(run.model().title()));
    facts.put("Parameters", run -> Figures.whole(run.model().parameters()));
    facts.put("Held-out loss", run -> last(run));
    facts.put("Lowest held-out loss", run -> lowest(run));
    facts.put("Steps", run -> ofLast(run, report -> Figures.whole(report.step())));
    facts.put("Examples", run -> ofLast(run, report -> Figures.whole(report.examples())));
    facts.put("Time", run -> Figures.duration(run.rounds().seconds()));
    facts.put(
        "Examples a second",
        run -> Html.number(run.rounds().median(RoundReport::examplesPerSecond)));
    facts.put(
        "Share of exchanging",
        run -> Html.percent(run.rounds().median(RoundReport::exchangeShare)));
    facts.put("Fréchet distance", run -> figure(run, "frechet_distance"));
    facts.put("CLIP score", run -> figure(run, "clip_score"));
    List<List<String>> rows = new ArrayList<>();
    facts.forEach(
        (name, fact) -> {
          List<String> row = new ArrayList<>(List.of(name));
          runs.forEach(run -> row.add(fact.apply(run)));
          rows.add(row);
        });
    return Html.table(headings(runs), rows);
  }

  /** Returns the settings that are not the same in all runs. */
  static String differences(List<RunRecord> runs) {
    List<Map<String, String>> settings = new ArrayList<>();
    TreeMap<String, String> keys = new TreeMap<>();
    for (RunRecord run : runs) {
      Map<String, String> leaves = new LinkedHashMap<>();
      collect("", run.configuration(), leaves);
      settings.add(leaves);
      keys.putAll(leaves);
    }
    List<List<String>> rows = new ArrayList<>();
    for (String key : keys.keySet()) {
      List<String> row = new ArrayList<>(List.of("<code>" + Html.text(key) + "</code>"));
      settings.forEach(leaves -> row.add(Html.text(leaves.getOrDefault(key, "–"))));
      if (new HashSet<>(row.subList(1, row.size())).size() > 1) {
        rows.add(row);
      }
    }
    return rows.isEmpty()
        ? "<p class=\"none\">The runs' settings are the same.</p>\n"
        : "<p>Settings in which the runs differ:</p>\n" + Html.table(headings(runs), rows);
  }

  private static List<String> headings(List<RunRecord> runs) {
    List<String> headings = new ArrayList<>(List.of("Run"));
    runs.forEach(run -> headings.add(run.name()));
    return headings;
  }

  private static void collect(String path, JsonNode json, Map<String, String> leaves) {
    if (!json.isObject()) {
      if (!path.isEmpty()) {
        leaves.put(path, json.isTextual() ? json.asText() : json.toString());
      }
      return;
    }
    for (Map.Entry<String, JsonNode> field : json.properties()) {
      String key = path.isEmpty() ? field.getKey() : path + "." + field.getKey();
      collect(key, field.getValue(), leaves);
    }
  }

  private static String ofLast(RunRecord run, Function<RoundReport, String> fact) {
    return run.rounds().isEmpty() ? "–" : fact.apply(run.rounds().last());
  }

  private static String last(RunRecord run) {
    List<RoundReport> validated = run.rounds().validated();
    return validated.isEmpty()
        ? "–"
        : Html.number(validated.get(validated.size() - 1).validationLoss());
  }

  private static String lowest(RunRecord run) {
    double lowest =
        run.rounds().validated().stream()
            .mapToDouble(RoundReport::validationLoss)
            .min()
            .orElse(Double.NaN);
    return Html.number(lowest);
  }

  private static String figure(RunRecord run, String name) {
    List<JsonNode> evaluations = run.judgements().evaluations();
    return evaluations.isEmpty()
        ? "–"
        : Html.number(
            evaluations.get(evaluations.size() - 1).path(name).path("value").asDouble(Double.NaN));
  }
}
