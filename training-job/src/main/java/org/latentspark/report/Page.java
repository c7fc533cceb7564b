package org.latentspark.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The page: page.html with its {@code ${names}} filled in. Styles, scripts, pictures and numbers
 * all stand in it, so that it works from a file and without a network.
 */
final class Page {
  /** Also part of the library's path on the class path: the pom's version must be the same. */
  static final String UPLOT_VERSION = "1.6.30";

  private static final String UPLOT = "/META-INF/resources/webjars/uplot/" + UPLOT_VERSION + "/";
  private static final String HERE = "/org/latentspark/report/";
  private static final Pattern NAME = Pattern.compile("\\$\\{(\\w+)}");
  private static final ObjectMapper JSON = new ObjectMapper();

  private Page() {}

  /** How the page is read. */
  enum Use {
    /** From a file: it never changes. */
    FILE(""),
    /** From the server, whom it asks whether there is more. */
    SERVED("; connect-src 'self'");

    private final String policy;

    Use(String policy) {
      this.policy = policy;
    }
  }

  /** Returns the page of a run, or of several side by side. */
  static String of(List<RunRecord> runs, Use use) throws IOException {
    String title = runs.stream().map(RunRecord::name).collect(Collectors.joining(", "));
    String directories =
        runs.stream()
            .map(run -> "<code>" + Html.text(run.directory()) + "</code>")
            .collect(Collectors.joining(", "));
    Map<String, String> parts =
        Map.ofEntries(
            Map.entry("title", Html.text(title)),
            Map.entry("directories", directories),
            Map.entry("policy", use.policy),
            Map.entry("made", Instant.now().truncatedTo(ChronoUnit.MINUTES).toString()),
            Map.entry(
                "style", resource(UPLOT + "dist/uPlot.min.css") + resource(HERE + "page.css")),
            Map.entry("remarks", each(runs, Page::remarks)),
            Map.entry(
                "summary",
                (runs.size() > 1 ? SideBySide.summary(runs) : "")
                    + each(runs, SummarySection::html)),
            Map.entry("figures", each(runs, RecordSection::figures)),
            Map.entry("samples", SamplesSection.html(runs)),
            Map.entry("judgements", each(runs, JudgementSection::html)),
            Map.entry("prep", each(runs, run -> PrepSection.html(run.prep()))),
            Map.entry("checkpoints", each(runs, RecordSection::checkpoints)),
            Map.entry(
                "configuration",
                (runs.size() > 1 ? SideBySide.differences(runs) : "")
                    + each(runs, RecordSection::configuration)),
            Map.entry("versions", each(runs, RecordSection::versions)),
            Map.entry("data", data(runs, use)),
            Map.entry("licence", resource(UPLOT + "LICENSE")),
            Map.entry("charts", resource(UPLOT + "dist/uPlot.iife.min.js")),
            Map.entry("script", resource(HERE + "page.js")));
    return fill(resource(HERE + "page.html"), parts);
  }

  /** Returns a part of the page, under each run's name where there are several. */
  private static String each(List<RunRecord> runs, Function<RunRecord, String> part) {
    StringBuilder html = new StringBuilder();
    for (RunRecord run : runs) {
      String own = part.apply(run);
      if (runs.size() > 1 && !own.isEmpty()) {
        html.append("<h3>" + Html.text(run.name()) + "</h3>\n");
      }
      html.append(own);
    }
    return html.toString();
  }

  /** Fills in one pass: what is filled in is not searched for names again. */
  private static String fill(String template, Map<String, String> parts) {
    return NAME.matcher(template)
        .replaceAll(
            name -> {
              String part = parts.get(name.group(1));
              if (part == null) {
                throw new IllegalStateException("page.html: nothing to fill " + name.group());
              }
              return Matcher.quoteReplacement(part);
            });
  }

  /** A script block ends at the first {@code </script}, wherever it stands: so no {@code <} may. */
  private static String data(List<RunRecord> runs, Use use) throws IOException {
    ObjectNode data = JSON.createObjectNode();
    data.put("served", use == Use.SERVED);
    ArrayNode list = data.putArray("runs");
    for (RunRecord run : runs) {
      list.addObject().put("name", run.name()).set("curves", Curves.of(run.rounds()));
    }
    return JSON.writeValueAsString(data).replace("<", "\\u003c");
  }

  private static String remarks(RunRecord run) {
    StringBuilder remarks = new StringBuilder();
    for (String remark : run.remarks()) {
      remarks.append("<p class=\"remark\">").append(Html.text(remark)).append("</p>\n");
    }
    return remarks.toString();
  }

  private static String resource(String path) throws IOException {
    try (InputStream in = Page.class.getResourceAsStream(path)) {
      if (in == null) {
        throw new IOException(path + " is not on the class path");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
