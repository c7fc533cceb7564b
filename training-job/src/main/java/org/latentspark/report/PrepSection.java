package org.latentspark.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.latentspark.cli.Figures;
import org.latentspark.filter.RejectReason;
import org.latentspark.latents.Manifest;
import org.latentspark.latents.RejectedPair;
import org.latentspark.latents.Split;

/** What prep made of the pairs: the accounting, the reasons and examples of them. */
final class PrepSection {
  private static final Map<String, String> MEANINGS =
      Arrays.stream(RejectReason.values())
          .collect(Collectors.toMap(RejectReason::code, RejectReason::meaning));

  private PrepSection() {}

  static String html(Optional<PrepFacts> prep) {
    return prep.map(PrepSection::html)
        .orElse(
            "<p class=\"none\">The run names no encoded dataset; dataset=DIRECTORY adds it.</p>\n");
  }

  private static String html(PrepFacts prep) {
    Manifest manifest = prep.manifest();
    Manifest.Accounting accounting = manifest.accounting();
    List<List<String>> rows = new ArrayList<>();
    row(rows, "read", accounting.read(), accounting, "");
    row(
        rows,
        "encoded",
        accounting.encoded(),
        accounting,
        "%s to train on, %s held out"
            .formatted(
                Figures.whole(manifest.rows(Split.TRAIN)),
                Figures.whole(manifest.rows(Split.VALIDATION))));
    row(rows, "rejected", accounting.rejected(), accounting, "");
    accounting.rejectedByReason().entrySet().stream()
        .sorted(Map.Entry.<String, Long>comparingByValue(Comparator.reverseOrder()))
        .forEach(reason -> reason(rows, reason.getKey(), reason.getValue(), prep));
    return "<p>Dataset <code>%s</code>, made %s.</p>%n"
            .formatted(Html.text(prep.name()), Html.text(manifest.created()))
        + Html.table(List.of("Pairs", "#Count", "#Share", "Meaning"), rows)
        + encoders(prep);
  }

  private static void row(
      List<List<String>> rows,
      String name,
      long count,
      Manifest.Accounting accounting,
      String meaning) {
    String share = Html.percent((double) count / accounting.read());
    rows.add(List.of(name, Figures.whole(count), share, meaning));
  }

  private static void reason(List<List<String>> rows, String code, long count, PrepFacts prep) {
    row(
        rows,
        "<span class=\"reason\">" + Html.text(code) + "</span>",
        count,
        prep.manifest().accounting(),
        Html.text(MEANINGS.getOrDefault(code, "")));
    List<RejectedPair> examples = prep.examples().getOrDefault(code, List.of());
    if (!examples.isEmpty()) {
      rows.add(List.of(examples(examples)));
    }
  }

  /** Captions and addresses come from strangers: they are shown as text, never as links. */
  private static String examples(List<RejectedPair> pairs) {
    String items =
        pairs.stream()
            .map(
                pair ->
                    Stream.of(shown(pair.caption()), pair.url(), pair.detail())
                        .filter(text -> text != null && !text.isBlank())
                        .map(Html::excerpt)
                        .collect(Collectors.joining("<br>", "<li>", "</li>")))
            .collect(Collectors.joining());
    return "<details class=\"examples\"><summary>%s</summary><ul>%s</ul></details>"
        .formatted(pairs.size() == 1 ? "example" : pairs.size() + " examples", items);
  }

  private static String shown(String caption) {
    return caption == null || caption.isBlank() ? "(no caption)" : caption;
  }

  private static String encoders(PrepFacts prep) {
    Manifest manifest = prep.manifest();
    var shape = manifest.latent().shape();
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("images", String.join(", ", prep.sizes()) + " pixels"));
    rows.add(
        List.of(
            "latents",
            "%d×%d×%d, scaling factor %s"
                .formatted(
                    shape.channels(),
                    shape.height(),
                    shape.width(),
                    Html.number(manifest.latent().scalingFactor()))));
    rows.add(
        List.of(
            "text embeddings",
            "%d tokens of %d numbers".formatted(manifest.text().tokens(), manifest.text().dim())));
    manifest
        .encoders()
        .sha256()
        .forEach(
            (part, digest) ->
                rows.add(
                    List.of(
                        Html.text(manifest.encoders().directory() + "/" + part),
                        "<code>" + Html.text(digest) + "</code>")));
    rows.add(List.of("manifest", "<code>" + Html.text(prep.fingerprint()) + "</code>"));
    return "<details><summary>Shapes and fingerprints (SHA-256)</summary>%s</details>%n"
        .formatted(Html.table(List.of("Part", "Value"), rows));
  }
}
