package org.latentspark.filter;

import java.io.Serializable;
import org.latentspark.cli.Settings;

/**
 * The thresholds of {@link PairFilter}; a null threshold lets everything pass.
 *
 * @param minCaptionLength least number of characters, blanks at the ends not counted
 * @param maxCaptionLength greatest number of characters
 * @param minSide least number of pixels of the shorter side
 * @param maxUnsafe greatest {@code punsafe}
 * @param maxWatermark greatest {@code pwatermark}
 * @param minSimilarity least {@code similarity}
 * @param minAesthetic least {@code aesthetic}
 * @param nullScores what a null score does where there is a threshold
 */
public record FilterSettings(
    int minCaptionLength,
    int maxCaptionLength,
    int minSide,
    Double maxUnsafe,
    Double maxWatermark,
    Double minSimilarity,
    Double minAesthetic,
    NullScores nullScores)
    implements Serializable {

  /** What a null score does to a pair. */
  public enum NullScores {
    /** It passes. */
    PASS,
    /** It is rejected as {@link RejectReason#MISSING_SCORE}. */
    REJECT
  }

  /**
   * Reads the keys {@code filter.*}.
   *
   * @param imageSize what {@code filter.min-side = 0} stands for
   */
  public static FilterSettings read(Settings settings, int imageSize) {
    int minSide = settings.integer("filter.min-side", 0, 65_535);
    FilterSettings filter =
        new FilterSettings(
            settings.integer("filter.min-caption-length", 1, 1_000_000),
            settings.integer("filter.max-caption-length", 1, 1_000_000),
            minSide == 0 ? imageSize : minSide,
            unless(1, settings.number("filter.max-punsafe", 0, 1)),
            unless(1, settings.number("filter.max-pwatermark", 0, 1)),
            unless(-1, settings.number("filter.min-similarity", -1, 1)),
            unless(0, settings.number("filter.min-aesthetic", 0, 10)),
            settings.oneOf("filter.null-scores", NullScores.class));
    if (filter.maxCaptionLength() < filter.minCaptionLength()) {
      settings.refuse(
          "filter.max-caption-length",
          "must be at least filter.min-caption-length (" + filter.minCaptionLength() + ")");
    }
    return filter;
  }

  /** A threshold that every score passes asks for no score: null scores pass it as well. */
  private static Double unless(double neutral, double threshold) {
    return threshold == neutral ? null : threshold;
  }
}
