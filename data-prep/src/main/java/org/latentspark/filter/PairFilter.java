package org.latentspark.filter;

import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.latentspark.filter.FilterSettings.NullScores;
import org.latentspark.latents.Scores;
import org.latentspark.pairs.ImageUrl;
import org.latentspark.pairs.PairRecord;

/** Judges a pair by its metadata alone. */
public final class PairFilter {
  private final FilterSettings settings;

  /** Creates a filter with the thresholds {@code settings}. */
  public PairFilter(FilterSettings settings) {
    this.settings = settings;
  }

  /** Returns why {@code pair} is rejected, or nothing if it passes. */
  public Optional<Rejection> reject(PairRecord pair) {
    return url(pair)
        .or(() -> caption(pair.caption()))
        .or(() -> oneOf("language", pair.language(), settings.languages(), RejectReason.LANGUAGE))
        .or(() -> dimensions(pair.width(), pair.height()))
        .or(() -> oneOf("nsfw", pair.nsfw(), settings.nsfw(), RejectReason.UNSAFE))
        .or(() -> scores(pair.scores()));
  }

  /** Returns why an image of {@code width} by {@code height} pixels is rejected; null passes. */
  public Optional<Rejection> dimensions(Integer width, Integer height) {
    return side(width, height).or(() -> aspectRatio(width, height));
  }

  private Optional<Rejection> aspectRatio(Integer width, Integer height) {
    Double most = settings.maxAspectRatio();
    if (most == null || width == null || height == null) {
      return Optional.empty();
    }
    return Math.max(width, height) <= most * Math.min(width, height)
        ? Optional.empty()
        : Optional.of(
            RejectReason.ASPECT_RATIO.because(
                "%dx%d, greatest ratio is %s".formatted(width, height, most)));
  }

  private Optional<Rejection> oneOf(
      String name, String tag, Set<String> allowed, RejectReason reason) {
    if (allowed.isEmpty()) {
      return Optional.empty();
    }
    if (tag == null || tag.isBlank()) {
      return missing(name);
    }
    return allowed.contains(tag.strip().toLowerCase(Locale.ROOT))
        ? Optional.empty()
        : Optional.of(reason.because(name + " " + tag));
  }

  private Optional<Rejection> side(Integer width, Integer height) {
    int shorter =
        Math.min(
            width == null ? Integer.MAX_VALUE : width, height == null ? Integer.MAX_VALUE : height);
    return shorter >= settings.minSide()
        ? Optional.empty()
        : Optional.of(
            RejectReason.TOO_SMALL.because(
                "%sx%s, least side is %d"
                    .formatted(
                        width == null ? "?" : width,
                        height == null ? "?" : height,
                        settings.minSide())));
  }

  private static Optional<Rejection> url(PairRecord pair) {
    if (pair.isStored()) {
      // Nothing is asked for; the URL is only a name.
      return Optional.empty();
    }
    String url = pair.url();
    if (url == null || url.isBlank()) {
      return Optional.of(RejectReason.MISSING_URL.because(null));
    }
    return ImageUrl.parse(url).isPresent()
        ? Optional.empty()
        : Optional.of(RejectReason.BAD_URL.because("not an http or https URL with a host"));
  }

  private Optional<Rejection> caption(String caption) {
    String text = caption == null ? "" : caption.strip();
    int length = text.codePointCount(0, text.length());
    if (length == 0) {
      return Optional.of(RejectReason.EMPTY_CAPTION.because(null));
    }
    if (length < settings.minCaptionLength()) {
      return Optional.of(RejectReason.SHORT_CAPTION.because(length + " characters"));
    }
    if (length > settings.maxCaptionLength()) {
      return Optional.of(RejectReason.LONG_CAPTION.because(length + " characters"));
    }
    return Optional.empty();
  }

  private Optional<Rejection> scores(Scores scores) {
    return atMost("punsafe", scores.punsafe(), settings.maxUnsafe(), RejectReason.UNSAFE)
        .or(
            () ->
                atMost(
                    "pwatermark",
                    scores.pwatermark(),
                    settings.maxWatermark(),
                    RejectReason.WATERMARK))
        .or(
            () ->
                atLeast(
                    "similarity",
                    scores.similarity(),
                    settings.minSimilarity(),
                    RejectReason.LOW_SIMILARITY))
        .or(
            () ->
                atLeast(
                    "aesthetic",
                    scores.aesthetic(),
                    settings.minAesthetic(),
                    RejectReason.LOW_AESTHETIC));
  }

  private Optional<Rejection> atMost(String name, Double score, Double most, RejectReason reason) {
    return most == null || (score != null && score <= most)
        ? Optional.empty()
        : judge(name, score, reason);
  }

  private Optional<Rejection> atLeast(
      String name, Double score, Double least, RejectReason reason) {
    return least == null || (score != null && score >= least)
        ? Optional.empty()
        : judge(name, score, reason);
  }

  private Optional<Rejection> judge(String name, Double score, RejectReason reason) {
    if (score != null) {
      return Optional.of(reason.because(name + " " + score));
    }
    return missing(name);
  }

  private Optional<Rejection> missing(String name) {
    return settings.nullScores() == NullScores.PASS
        ? Optional.empty()
        : Optional.of(RejectReason.MISSING_SCORE.because(name));
  }
}
