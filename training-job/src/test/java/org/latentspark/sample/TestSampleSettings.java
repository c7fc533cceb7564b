package org.latentspark.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.latentspark.cli.Settings;
import org.latentspark.cli.UsageException;
import org.latentspark.tensor.Precision;

class TestSampleSettings {
  private static final List<String> REFERENCES = new SampleJob().references();

  @Test
  void keepsItsDefaults() {
    assertThat(Settings.defaults(REFERENCES))
        .containsExactlyInAnyOrderEntriesOf(
            Map.ofEntries(
                Map.entry("checkpoint", ""),
                Map.entry("encoders", ""),
                Map.entry("output", ""),
                Map.entry("weights", "ema"),
                Map.entry("prompts", List.of()),
                Map.entry("prompts-file", ""),
                Map.entry("negative-prompt", ""),
                Map.entry("seed", 2026),
                Map.entry("steps", 50),
                Map.entry("eta", 0),
                Map.entry("guidance-scale", 3),
                Map.entry("width", 0),
                Map.entry("height", 0),
                Map.entry("batch-size", 12),
                Map.entry("precision", "fp32"),
                Map.entry("threads", 0),
                Map.entry("grid.columns", 4),
                Map.entry("grid.tile", 128)));
  }

  @Test
  void readsEveryKey() {
    Settings settings =
        Settings.load(
            REFERENCES,
            null,
            List.of("checkpoint=c", "encoders=e", "output=o", "prompts=[a, b]", "weights=raw"));
    SampleSettings read = settings.read(SampleSettings::read);
    assertThat(settings.unread()).isEmpty();
    assertThat(read.prompts()).containsExactly("a", "b");
    assertThat(read.weights()).isEqualTo(Weights.RAW);
    assertThat(read.draw()).isEqualTo(new DrawSettings(50, 0, 3, 0, 0, 12, Precision.FP32));
  }

  @Test
  void refusesWhatItCannotDraw() {
    assertThatThrownBy(
            () ->
                Settings.load(
                        REFERENCES, null, List.of("guidance-scale=0.5", "eta=2", "weights=best"))
                    .read(SampleSettings::read))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("checkpoint: is required")
        .hasMessageContaining("guidance-scale = 0.5")
        .hasMessageContaining("eta = 2")
        .hasMessageContaining("weights = best (command line)")
        .hasMessageContaining("prompts = []");
  }
}
