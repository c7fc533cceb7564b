package org.latentspark.prep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.latentspark.cli.Settings;
import org.latentspark.cli.UsageException;
import org.latentspark.filter.FilterSettings;
import org.latentspark.filter.FilterSettings.NullScores;

class TestPrepDefaults {
  private static final List<String> REQUIRED = List.of("source=a", "output=b", "encoders=c");

  @Test
  void defaultsArePinned() {
    Map<String, Object> expected = new TreeMap<>();
    expected.put("source", List.of());
    expected.put("output", "");
    expected.put("existing", "refuse");
    expected.put("latents", "mean-std");
    expected.put("precision", "fp32");
    expected.put("device", "auto");
    expected.put("decode-threads", 2);
    expected.put("encoders", "");
    expected.put("batch-size", 16);
    expected.put("validation-share", 0.05);
    expected.put("seed", 0);
    expected.put("limit", 0);
    expected.put("subset", "");
    expected.put("partitions", 0);
    expected.put("image.size", 512);
    expected.put("image.max-pixels", 67108864);
    expected.put("image.buckets", "none");
    expected.put("image.resize", "area");
    expected.put("image.flip", "none");
    expected.put("image.bucket-step", 64);
    expected.put("image.bucket-max-aspect", 2);
    expected.put("filter.min-caption-length", 1);
    expected.put("filter.max-caption-length", 10000);
    expected.put("filter.languages", List.of());
    expected.put("filter.nsfw", List.of());
    expected.put("filter.min-side", 0);
    expected.put("filter.max-aspect-ratio", 0);
    expected.put("filter.max-punsafe", 1);
    expected.put("filter.max-pwatermark", 1);
    expected.put("filter.min-similarity", -1);
    expected.put("filter.min-aesthetic", 0);
    expected.put("filter.near-duplicate-bits", -1);
    expected.put("filter.null-scores", "pass");
    expected.put("fetch.parallelism", 64);
    expected.put("fetch.per-host", 16);
    expected.put("fetch.memory", "256 MiB");
    expected.put("fetch.connect-timeout", "5 s");
    expected.put("fetch.read-timeout", "10 s");
    expected.put("fetch.deadline", "30 s");
    expected.put("fetch.max-bytes", "20 MiB");
    expected.put("fetch.max-redirects", 5);
    expected.put("fetch.retries", 2);
    expected.put("fetch.backoff", "500 ms");
    expected.put("fetch.name-lifetime", "5 m");
    expected.put("fetch.robots-directives", List.of("noai", "noimageai"));
    expected.put("fetch.allow-private-addresses", false);
    expected.put("fetch.rewrite-from", "");
    expected.put("fetch.rewrite-to", "");
    expected.put("files.target-bytes", "256 MiB");
    assertThat(Settings.defaults(PrepSettings.REFERENCES)).isEqualTo(expected);
  }

  @Test
  void defaultsOfVerifyArePinned() {
    VerifyJob verify = new VerifyJob();
    assertThat(Settings.defaults(verify.references()))
        .isEqualTo(Map.of("dataset", "", "version", 0));
    Settings settings = Settings.load(verify.references(), null, List.of("dataset=a"));
    assertThat(settings.read(verify::configure)).isEqualTo(new VerifySettings("a", 0));
    assertThat(settings.unread()).isEmpty();
  }

  @Test
  void defaultsOfTheBenchmarkArePinned() {
    EncodeBench benchmark = new EncodeBench();
    Map<String, Object> expected = new TreeMap<>();
    expected.put("encoders", "encoders");
    expected.put("images", "data-prep/sample/images");
    expected.put("image.size", 64);
    expected.put("batch-size", 16);
    expected.put("precision", "fp32");
    expected.put("device", "auto");
    expected.put("decode-threads", 2);
    expected.put("rounds", 5);
    assertThat(Settings.defaults(benchmark.references())).isEqualTo(expected);
    Settings settings = Settings.load(benchmark.references(), null, List.of());
    assertThat(settings.read(benchmark::configure).rounds()).isEqualTo(5);
    assertThat(settings.unread()).isEmpty();
  }

  @Test
  void readsEveryKey() {
    Settings settings = Settings.load(PrepSettings.REFERENCES, null, REQUIRED);
    PrepSettings read = settings.read(PrepSettings::read);
    assertThat(settings.unread()).isEmpty();
    assertThat(read.source()).containsExactly("a");
    assertThat(read.filter())
        .isEqualTo(
            new FilterSettings(
                1,
                10000,
                Set.of(),
                Set.of(),
                512,
                null,
                null,
                null,
                null,
                null,
                null,
                NullScores.PASS));
  }

  @Test
  void refusesWhatCannotBeMeant() {
    assertThatThrownBy(() -> read("image.size=7", "fetch.deadline=0 s", "validation-share=1.5"))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("image.size = 7")
        .hasMessageContaining("fetch.deadline = 0 s")
        .hasMessageContaining("validation-share = 1.5");
    assertThatThrownBy(() -> read("image.buckets=aspect", "image.size=100"))
        .hasMessageContaining("must divide image.size, which is 100");
    assertThatThrownBy(() -> read("filter.min-caption-length=9", "filter.max-caption-length=8"))
        .hasMessageContaining("must be at least filter.min-caption-length (9)");
    assertThatThrownBy(
            () -> Settings.load(PrepSettings.REFERENCES, null, List.of()).read(PrepSettings::read))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("source")
        .hasMessageContaining("output")
        .hasMessageContaining("encoders");
  }

  private static PrepSettings read(String... overrides) {
    List<String> items = new java.util.ArrayList<>(REQUIRED);
    items.addAll(List.of(overrides));
    return Settings.load(PrepSettings.REFERENCES, null, items).read(PrepSettings::read);
  }
}
