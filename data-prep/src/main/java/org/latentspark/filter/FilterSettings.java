package org.latentspark.filter;

import java.io.Serializable;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.latentspark.cli.Settings;

/**
 * The thresholds of {@link PairFilter}; a null threshold lets everything pass.
 *
 * @param minCaptionLength least number of characters, blanks at the ends not counted
 * @param maxCaptionLength greatest number of characters
 * @param languages codes of languages, in lower case; empty takes all
 * @param nsfw tags, in lower case; empty takes all
 * @param minSide least number of pixels of the shorter side
 * @param maxAspectRatio greatest ratio of the longer side to the shorter
 * @param maxUnsafe greatest {@code punsafe}
 * @param maxWatermark greatest {@code pwatermark}
 * @param minSimilarity least {@code similarity}
 * @param minAesthetic least {@code aesthetic}
 * @param nearDuplicateBits most bits of 64 in which the perceptual hashes of near duplicates differ
 * @param nullScores what a null score, tag or language does where one is asked for
 */
public record FilterSettings(
    int minCaptionLength,
    int maxCaptionLength,
    Set<String> languages,
    Set<String> nsfw,
    int minSide,
    Double maxAspectRatio,
    Double maxUnsafe,
    Double maxWatermark,
    Double minSimilarity,
    Double minAesthetic,
    Integer nearDuplicateBits,
    NullScores nullScores)
    implements Serializable {

  /** Comparisons grow with the choices of blocks, see {@link NearDuplicates}: 20 of them here. */
  private static final int MOST_BITS = 3;

  /** What a null score, tag or language does to a pair. */
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
    int nearDuplicateBits = settings.integer("filter.near-duplicate-bits", -1, MOST_BITS);
    int minSide = settings.integer("filter.min-side", 0, 65_535);
    FilterSettings filter =
        new FilterSettings(
            settings.integer("filter.min-caption-length", 1, 1_000_000),
            settings.integer("filter.max-caption-length", 1, 1_000_000),
            lowerCase(settings.strings("filter.languages")),
            lowerCase(settings.strings("filter.nsfw")),
            minSide == 0 ? imageSize : minSide,
            unless(0, settings.number("filter.max-aspect-ratio", 0, 65_535)),
            unless(1, settings.number("filter.max-punsafe", 0, 1)),
            unless(1, settings.number("filter.max-pwatermark", 0, 1)),
            unless(-1, settings.number("filter.min-similarity", -1, 1)),
            unless(0, settings.number("filter.min-aesthetic", 0, 10)),
            nearDuplicateBits < 0 ? null : nearDuplicateBits,
            settings.oneOf("filter.null-scores", NullScores.class));
    if (filter.maxCaptionLength() < filter.minCaptionLength()) {
      settings.refuse(
          "filter.max-caption-length",
          "must be at least filter.min-caption-length (" + filter.minCaptionLength() + ")");
    }
    if (filter.maxAspectRatio() != null && filter.maxAspectRatio() < 1) {
      settings.refuse("filter.max-aspect-ratio", "must be 0 or at least 1");
    }
    return filter;
  }

  private static Set<String> lowerCase(List<String> names) {
    return names.stream()
        .map(name -> name.strip().toLowerCase(Locale.ROOT))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** A threshold that every score passes asks for no score: null scores pass it as well. */
  private static Double unless(double neutral, double threshold) {
    return threshold == neutral ? null : threshold;
  }
}
