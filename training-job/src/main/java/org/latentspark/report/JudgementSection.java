package org.latentspark.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.apache.hadoop.fs.Path;
import org.latentspark.cli.Figures;

/** How good the pictures are: evaluations of checkpoints, and samplers side by side. */
final class JudgementSection {
  private static final Map<String, String> FIGURES = figures();

  private JudgementSection() {}

  private static Map<String, String> figures() {
    Map<String, String> figures = new LinkedHashMap<>();
    figures.put("validation_loss", "Held-out loss");
    figures.put("frechet_distance", "Fréchet distance");
    figures.put("kernel_distance", "Kernel distance");
    figures.put("precision", "Precision");
    figures.put("recall", "Recall");
    figures.put("inception/frechet_distance", "Fréchet distance on Inception's features");
    figures.put("inception/kernel_distance", "Kernel distance on Inception's features");
    figures.put("clip_score", "CLIP score");
    figures.put("clip_score_of_real_pictures", "CLIP score of the real pictures");
    return figures;
  }

  static String html(RunRecord run) {
    Judgements found = run.judgements();
    if (found.evaluations().isEmpty() && found.comparisons().isEmpty()) {
      return "<p class=\"none\">Nothing was judged: <code>evaluate</code> with an output under"
          + " the run's <code>evaluations/</code> adds it.</p>\n";
    }
    StringBuilder html = new StringBuilder();
    if (!found.evaluations().isEmpty()) {
      html.append(evaluations(found.evaluations()));
    }
    found.comparisons().forEach(comparison -> html.append(comparison(comparison)));
    return html.toString();
  }

  private static String evaluations(List<JsonNode> evaluations) {
    List<String> headings = new ArrayList<>(List.of("Figure"));
    evaluations.forEach(evaluation -> headings.add("#" + checkpoint(evaluation)));
    List<List<String>> rows = new ArrayList<>();
    rows.add(row("Drawn by", evaluations, JudgementSection::drawing));
    rows.add(
        row(
            "Held-out pairs",
            evaluations,
            evaluation -> Figures.whole(evaluation.path("pairs").asLong())));
    FIGURES.forEach(
        (figure, name) -> {
          if (evaluations.stream().anyMatch(evaluation -> evaluation.at("/" + figure).isObject())) {
            rows.add(row(name, evaluations, evaluation -> interval(evaluation.at("/" + figure))));
          }
        });
    String parts = "validation_loss_by_timestep";
    for (int i = 0; i < evaluations.get(0).path(parts).size(); i++) {
      int part = i;
      JsonNode first = evaluations.get(0).path(parts).get(part);
      rows.add(
          row(
              "Loss, steps %d to %d"
                  .formatted(first.path("from").asLong(), first.path("to").asLong()),
              evaluations,
              evaluation -> interval(evaluation.path(parts).path(part))));
    }
    return "<p>On held-out pairs. Below each figure: its interval of 95 %.</p>\n"
        + Html.table(headings, rows);
  }

  private static List<String> row(
      String name, List<JsonNode> evaluations, Function<JsonNode, String> cell) {
    List<String> row = new ArrayList<>(List.of(name));
    evaluations.forEach(evaluation -> row.add(cell.apply(evaluation)));
    return row;
  }

  private static String drawing(JsonNode evaluation) {
    JsonNode config = evaluation.path("config");
    return "%s, %s steps<small>guidance %s</small>"
        .formatted(
            Html.text(config.path("sampler").asText("?")),
            Html.text(config.path("steps").asText("?")),
            Html.text(config.path("guidance-scale").asText("?")));
  }

  private static String comparison(Judgements.Comparison comparison) {
    List<List<String>> rows = new ArrayList<>();
    StringBuilder pictures = new StringBuilder("<div class=\"samplers\">\n");
    int index = 0;
    for (JsonNode sampler : comparison.result().path("samplers")) {
      String name =
          "%s, %s steps"
              .formatted(
                  Html.text(sampler.path("sampler").asText()),
                  Figures.whole(sampler.path("steps").asLong()));
      rows.add(
          List.of(
              name,
              Html.number(sampler.path("seconds_per_picture").asDouble()),
              interval(sampler.path("frechet_distance")),
              interval(sampler.path("clip_score"))));
      String grid = comparison.grids().get(index++);
      if (!grid.isEmpty()) {
        pictures.append(
            "<figure><img src=\"%s\" alt=\"Pictures drawn by %s\"><figcaption>%s</figcaption></figure>%n"
                .formatted(grid, name, name));
      }
    }
    return "<h3>Samplers</h3>%n<p>The same %s captions from the same seeds, drawn from %s.</p>%n"
            .formatted(
                Figures.whole(comparison.result().path("pairs").asLong()),
                Html.text(checkpoint(comparison.result())))
        + Html.table(
            List.of("Sampler", "#Seconds a picture", "#Fréchet distance", "#CLIP score"), rows)
        + pictures.append("</div>\n");
  }

  private static String checkpoint(JsonNode result) {
    String path = result.path("checkpoint").asText();
    return path.isEmpty() ? "?" : new Path(path).getName();
  }

  private static String interval(JsonNode figure) {
    if (!figure.path("value").isNumber()) {
      return "–";
    }
    return "%s<small>%s to %s</small>"
        .formatted(
            Html.number(figure.path("value").asDouble()),
            Html.number(figure.path("low").asDouble()),
            Html.number(figure.path("high").asDouble()));
  }
}
