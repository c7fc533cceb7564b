package org.latentspark.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

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

  /** Returns the page of a run. */
  static String of(RunRecord run) throws IOException {
    Map<String, String> parts =
        Map.ofEntries(
            Map.entry("title", Html.text(run.directory().getName())),
            Map.entry("directory", Html.text(run.directory())),
            Map.entry("made", Instant.now().truncatedTo(ChronoUnit.MINUTES).toString()),
            Map.entry(
                "style", resource(UPLOT + "dist/uPlot.min.css") + resource(HERE + "page.css")),
            Map.entry("remarks", remarks(run)),
            Map.entry("summary", SummarySection.html(run)),
            Map.entry("figures", RecordSection.figures(run)),
            Map.entry("samples", SamplesSection.html(run.grids())),
            Map.entry("prep", PrepSection.html(run.prep())),
            Map.entry("checkpoints", RecordSection.checkpoints(run)),
            Map.entry("configuration", RecordSection.configuration(run)),
            Map.entry("versions", RecordSection.versions(run)),
            Map.entry("data", data(run)),
            Map.entry("licence", resource(UPLOT + "LICENSE")),
            Map.entry("charts", resource(UPLOT + "dist/uPlot.iife.min.js")),
            Map.entry("script", resource(HERE + "page.js")));
    return fill(resource(HERE + "page.html"), parts);
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
  private static String data(RunRecord run) throws IOException {
    ObjectNode data = JSON.createObjectNode();
    data.set("curves", Curves.of(run.rounds()));
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
