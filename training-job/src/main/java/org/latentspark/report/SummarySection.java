package org.latentspark.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.latentspark.averaging.RoundReport;
import org.latentspark.cli.Figures;
import org.latentspark.latents.Split;

/** What was trained, on what, how long, and how well it went. */
final class SummarySection {
  /** More buckets are told by their number; the section on the data has them all. */
  private static final int MOST_SIZES = 3;

  private final RunRecord run;
  private final Rounds rounds;

  private SummarySection(RunRecord run) {
    this.run = run;
    this.rounds = run.rounds();
  }

  static String html(RunRecord run) {
    SummarySection section = new SummarySection(run);
    return "<p class=\"lead\">" + section.lead() + "</p>\n" + section.tiles();
  }

  private String lead() {
    StringBuilder lead = new StringBuilder(Html.text(run.model().title()));
    if (run.model().parameters() > 0) {
      lead.append(" of ").append(Figures.whole(run.model().parameters())).append(" parameters");
    }
    run.prep().ifPresent(prep -> lead.append(", trained on ").append(pairs(prep)));
    if (!rounds.isEmpty()) {
      lead.append(run.prep().isPresent() ? ": " : ", trained: ")
          .append(Figures.whole(rounds.last().examples()))
          .append(" examples in ")
          .append(Figures.duration(rounds.seconds()));
    }
    return lead.append('.').toString();
  }

  private static String pairs(PrepFacts prep) {
    List<String> sizes = prep.sizes();
    String shown = String.join(", ", sizes.subList(0, Math.min(MOST_SIZES, sizes.size())));
    return "%s image-text pairs of %s pixels (%s held out)"
        .formatted(
            Figures.whole(prep.manifest().rows(Split.TRAIN)),
            sizes.size() > MOST_SIZES
                ? "%d sizes, most of %s".formatted(sizes.size(), shown)
                : shown,
            Figures.whole(prep.manifest().rows(Split.VALIDATION)));
  }

  private String tiles() {
    StringBuilder tiles = new StringBuilder("<dl class=\"tiles\">\n");
    if (!rounds.isEmpty()) {
      heldOut(tiles);
      steps(tiles);
      String exchange = Html.percent(rounds.median(RoundReport::exchangeShare));
      tile(
          tiles,
          "Time",
          Figures.duration(rounds.seconds()),
          "in " + Figures.whole(rounds.reports().size()) + " rounds; checkpoints are not in it");
      tile(
          tiles,
          "Examples a second",
          Html.number(rounds.median(RoundReport::examplesPerSecond)),
          "median; the average takes " + exchange + " of a round");
    }
    long complete = run.checkpoints().stream().filter(SavedState::complete).count();
    tile(
        tiles,
        "Checkpoints",
        Figures.whole(complete),
        SavedState.newest(run.checkpoints())
            .map(newest -> "newest: <span class=\"name\">" + Html.text(newest.name()) + "</span>")
            .orElse("none complete yet"));
    return tiles.append("</dl>\n").toString();
  }

  private void heldOut(StringBuilder tiles) {
    List<RoundReport> validated = rounds.validated();
    if (validated.isEmpty()) {
      tile(tiles, "Training loss", Html.number(rounds.last().loss()), "held-out: none measured");
      return;
    }
    RoundReport first = validated.get(0);
    RoundReport last = validated.get(validated.size() - 1);
    RoundReport best =
        validated.stream().min(Comparator.comparing(RoundReport::validationLoss)).orElseThrow();
    List<String> notes = new ArrayList<>();
    notes.add(
        "%s of the first (%s at step %s)"
            .formatted(
                Html.percent(last.validationLoss() / first.validationLoss()),
                Html.number(first.validationLoss()),
                Figures.whole(first.step())));
    if (best.step() != last.step()) {
      notes.add(
          "lowest: %s at step %s"
              .formatted(Html.number(best.validationLoss()), Figures.whole(best.step())));
    }
    tile(tiles, "Held-out loss", Html.number(last.validationLoss()), String.join("; ", notes));
    int mean = newest();
    tile(
        tiles,
        "Training loss",
        Html.number(lastLoss(mean)),
        mean == 1 ? "of the last round" : "mean of the last %d rounds".formatted(mean));
  }

  private int newest() {
    return Math.max(1, rounds.reports().size() / 50);
  }

  private double lastLoss(int count) {
    int size = rounds.reports().size();
    return rounds.reports().subList(size - count, size).stream()
        .mapToDouble(RoundReport::loss)
        .filter(Double::isFinite)
        .average()
        .orElse(Double.NaN);
  }

  private void steps(StringBuilder tiles) {
    long planned = run.configuredNumber("steps");
    long workers = run.configuredNumber("workers");
    List<String> notes = new ArrayList<>();
    if (planned > rounds.last().step()) {
      notes.add("of " + Figures.whole(planned) + " planned");
    }
    if (workers > 0) {
      notes.add(
          workers > 1 ? "by each of " + Figures.whole(workers) + " workers" : "by one worker");
    }
    notes.add(Figures.whole(rounds.last().round()) + " averages");
    tile(tiles, "Steps", Figures.whole(rounds.last().step()), String.join(", ", notes));
  }

  private static void tile(StringBuilder tiles, String name, String value, String note) {
    tiles.append(
        "<div><dt>%s</dt><dd>%s<small>%s</small></dd></div>\n".formatted(name, value, note));
  }
}
