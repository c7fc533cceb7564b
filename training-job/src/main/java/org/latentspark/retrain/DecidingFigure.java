package org.latentspark.retrain;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Locale;
import org.latentspark.cli.Settings;
import org.latentspark.retrain.Registry.Figure;

/** The figure of evaluation.json that decides whether a model is better than another. */
enum DecidingFigure {
  VALIDATION_LOSS(-1),
  FRECHET_DISTANCE(-1),
  KERNEL_DISTANCE(-1),
  CLIP_SCORE(1);

  private final int better;

  /** {@code better} is the sign of a change for the better. */
  DecidingFigure(int better) {
    this.better = better;
  }

  Figure of(JsonNode evaluation) {
    JsonNode figure = evaluation.required(name().toLowerCase(Locale.ROOT));
    return new Figure(
        figure.required("value").asDouble(),
        figure.required("low").asDouble(),
        figure.required("high").asDouble());
  }

  /** Returns by how much a candidate is better than the model in use; below 0 if it is worse. */
  double gain(Figure candidate, Figure used) {
    return better * (candidate.value() - used.value());
  }

  /** Returns the gain that a candidate must exceed: the width of the wider interval. */
  static double margin(Figure candidate, Figure used) {
    return Math.max(candidate.high() - candidate.low(), used.high() - used.low());
  }

  /** Tells how a candidate compares, for the registry and for people. */
  String compare(Figure candidate, Figure used, String usedId) {
    double gain = gain(candidate, used);
    return String.format(
        Locale.ROOT,
        "%s %.5g is %s than %.5g of %s by %.3g; the wider interval is %.3g",
        Settings.kebab(this),
        candidate.value(),
        gain > 0 ? "better" : "not better",
        used.value(),
        usedId,
        Math.abs(gain),
        margin(candidate, used));
  }
}
