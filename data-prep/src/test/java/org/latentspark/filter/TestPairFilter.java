package org.latentspark.filter;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.latentspark.filter.FilterSettings.NullScores;
import org.latentspark.latents.Scores;
import org.latentspark.pairs.PairRecord;
import org.latentspark.pairs.SourceFault;

class TestPairFilter {
  private static final String URL = "https://example.org/a.jpg";

  private final PairFilter strict = filter(NullScores.REJECT);
  private final PairFilter lenient = filter(NullScores.PASS);

  private static PairFilter filter(NullScores nullScores) {
    return new PairFilter(
        new FilterSettings(
            3,
            20,
            Set.of("en", "de"),
            Set.of("unlikely"),
            64,
            10.0,
            0.5,
            0.8,
            0.2,
            4.5,
            null,
            nullScores));
  }

  @Test
  void passesWhatIsWithinEveryThreshold() {
    assertThat(strict.reject(pair(URL, "a bird", 64, 500, new Scores(0.2, 0.5, 0.8, 4.5))))
        .isEmpty();
    assertThat(lenient.reject(pair(URL, "a bird", null, null, Scores.NONE))).isEmpty();
  }

  @Test
  void namesTheThresholdThatAScoreMisses() {
    assertThat(reason(strict, new Scores(0.19, 0.0, 0.0, 9.0)))
        .isEqualTo(RejectReason.LOW_SIMILARITY);
    assertThat(reason(strict, new Scores(0.3, 0.51, 0.0, 9.0))).isEqualTo(RejectReason.UNSAFE);
    assertThat(reason(strict, new Scores(0.3, 0.0, 0.81, 9.0))).isEqualTo(RejectReason.WATERMARK);
    assertThat(reason(strict, new Scores(0.3, 0.0, 0.0, 4.4)))
        .isEqualTo(RejectReason.LOW_AESTHETIC);
    assertThat(reason(strict, new Scores(null, 0.0, 0.0, 9.0)))
        .isEqualTo(RejectReason.MISSING_SCORE);
  }

  @Test
  void judgesCaptionsByTheirCharacters() {
    assertThat(caption(null)).isEqualTo(RejectReason.EMPTY_CAPTION);
    assertThat(caption(" \t\n")).isEqualTo(RejectReason.EMPTY_CAPTION);
    assertThat(caption(" ab ")).isEqualTo(RejectReason.SHORT_CAPTION);
    assertThat(caption("x".repeat(21))).isEqualTo(RejectReason.LONG_CAPTION);
    // Two UTF-16 units each, but one character.
    assertThat(lenient.reject(pair(URL, "\ud83d\udc26".repeat(20), 64, 64, Scores.NONE))).isEmpty();
  }

  @Test
  void judgesTheShorterSide() {
    assertThat(lenient.reject(pair(URL, "a bird", 63, 500, Scores.NONE)))
        .contains(RejectReason.TOO_SMALL.because("63x500, least side is 64"));
    assertThat(lenient.reject(pair(URL, "a bird", null, 10, Scores.NONE)))
        .contains(RejectReason.TOO_SMALL.because("?x10, least side is 64"));
  }

  @Test
  void judgesTheAspectRatio() {
    assertThat(lenient.reject(pair(URL, "a bird", 64, 640, Scores.NONE))).isEmpty();
    assertThat(lenient.reject(pair(URL, "a bird", 641, 64, Scores.NONE)))
        .contains(RejectReason.ASPECT_RATIO.because("641x64, greatest ratio is 10.0"));
    assertThat(lenient.dimensions(64, 641))
        .map(Rejection::reason)
        .contains(RejectReason.ASPECT_RATIO);
  }

  @Test
  void judgesLanguageAndTag() {
    assertThat(lenient.reject(tagged("de", "unlikely"))).isEmpty();
    assertThat(lenient.reject(tagged("fr", "unlikely")))
        .contains(RejectReason.LANGUAGE.because("language fr"));
    assertThat(lenient.reject(tagged("de", "NSFW")))
        .contains(RejectReason.UNSAFE.because("nsfw NSFW"));
    assertThat(lenient.reject(tagged(null, null))).isEmpty();
    assertThat(strict.reject(tagged(null, "unlikely")))
        .contains(RejectReason.MISSING_SCORE.because("language"));
  }

  private static PairRecord tagged(String language, String nsfw) {
    return new PairRecord(
        "00", URL, "a bird", 64, 64, language, nsfw, new Scores(0.3, 0.0, 0.0, 9.0), null, null);
  }

  @Test
  void aStoredImageNeedsNoUrl() {
    assertThat(
            lenient.reject(
                new PairRecord(
                    "00", "a.jpg", "a bird", 64, 64, null, null, Scores.NONE, "0:-1:a.jpg", null)))
        .isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://example.org/a b.jpg",
        "https://example.org/a|b.jpg?x=[1]",
        "http://example.org/100%.jpg",
        "http://example.org/\u00e4\u00f6.jpg",
        "HTTP://EXAMPLE.ORG/A.JPG",
        "http://[2a00:1450::1]/a.jpg"
      })
  void takesUrlsAsTheyStandOnTheWeb(String url) {
    assertThat(lenient.reject(pair(url, "a bird", 64, 64, Scores.NONE))).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"ftp://example.org/a.jpg", "file:///etc/passwd", "a.jpg", "http://", "http:///x"})
  void refusesOtherUrls(String url) {
    assertThat(lenient.reject(pair(url, "a bird", 64, 64, Scores.NONE)))
        .map(Rejection::reason)
        .contains(RejectReason.BAD_URL);
  }

  @Test
  void theListOfReasonsIsClosed() {
    assertThat(Arrays.stream(RejectReason.values()).map(RejectReason::code))
        .containsExactly(
            "unreadable-source",
            "bad-row",
            "bad-entry",
            "missing-image",
            "missing-url",
            "bad-url",
            "empty-caption",
            "short-caption",
            "long-caption",
            "language",
            "too-small",
            "aspect-ratio",
            "unsafe",
            "watermark",
            "low-similarity",
            "low-aesthetic",
            "missing-score",
            "duplicate-url",
            "unknown-host",
            "private-address",
            "not-found",
            "forbidden",
            "opted-out",
            "http-error",
            "bad-redirect",
            "connection-failed",
            "timeout",
            "too-large",
            "empty-file",
            "not-an-image",
            "unsupported-format",
            "too-many-pixels",
            "truncated",
            "undecodable",
            "duplicate-content",
            "near-duplicate",
            "not-finite");
    for (RejectReason reason : RejectReason.values()) {
      assertThat(RejectReason.ofCode(reason.code())).isSameAs(reason);
    }
  }

  @Test
  void everyFaultOfASourceIsAReason() {
    for (SourceFault fault : SourceFault.values()) {
      assertThat(RejectReason.ofCode(fault.code())).isNotNull();
    }
  }

  @Test
  void thePageOfReasonsListsThemAll() throws Exception {
    String page = Files.readString(Path.of("..", "docs", "rejects.md"));
    assertThat(
            page.lines().filter(line -> line.startsWith("| `")).map(line -> line.split("`", 3)[1]))
        .containsExactlyElementsOf(
            Arrays.stream(RejectReason.values()).map(RejectReason::code).toList());
  }

  private static RejectReason reason(PairFilter filter, Scores scores) {
    return filter.reject(pair(URL, "a bird", 64, 64, scores)).map(Rejection::reason).orElse(null);
  }

  private RejectReason caption(String caption) {
    return lenient
        .reject(pair(URL, caption, 64, 64, Scores.NONE))
        .map(Rejection::reason)
        .orElse(null);
  }

  private static PairRecord pair(
      String url, String caption, Integer width, Integer height, Scores scores) {
    return new PairRecord("00", url, caption, width, height, "EN", "UNLIKELY", scores, null, null);
  }
}
