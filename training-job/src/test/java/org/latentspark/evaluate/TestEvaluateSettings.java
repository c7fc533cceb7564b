package org.latentspark.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.latentspark.cli.Settings;
import org.latentspark.cli.UsageException;
import org.latentspark.sample.DrawSettings;
import org.latentspark.sample.Weights;

class TestEvaluateSettings {
  private static final List<String> REFERENCES = new EvaluateJob().references();

  @Test
  void keepsItsDefaults() {
    assertThat(Settings.defaults(REFERENCES))
        .containsExactlyInAnyOrderEntriesOf(
            Map.ofEntries(
                Map.entry("checkpoint", ""),
                Map.entry("dataset", ""),
                Map.entry("version", 0),
                Map.entry("encoders", ""),
                Map.entry("output", ""),
                Map.entry("reference", ""),
                Map.entry("inception", ""),
                Map.entry("weights", "ema"),
                Map.entry("count", 1000),
                Map.entry("seed", 2026),
                Map.entry("neighbours", 3),
                Map.entry("kernel.subsets", 100),
                Map.entry("kernel.subset-size", 1000),
                Map.entry("threads", 0),
                Map.entry("steps", 50),
                Map.entry("sampler", "ddim"),
                Map.entry("eta", 0),
                Map.entry("timestep-spacing", "checkpoint"),
                Map.entry("guidance-scale", 3),
                Map.entry("guidance-rescale", 0),
                Map.entry("ddpm.variance", "fixed-small"),
                Map.entry("dpm-solver.order", 2),
                Map.entry("dpm-solver.type", "midpoint"),
                Map.entry("dpm-solver.sigmas", "schedule"),
                Map.entry("dpm-solver.lower-order-final", true),
                Map.entry("dpm-solver.euler-at-final", false),
                Map.entry("dpm-solver.final-sigma", "auto"),
                Map.entry("batch-size", 12),
                Map.entry("precision", "fp32")));
  }

  @Test
  void readsEveryKey() {
    Settings settings = settings("weights=raw", "count=50", "reference=r");
    EvaluateSettings read = settings.read(EvaluateSettings::read);
    assertThat(settings.unread()).isEmpty();
    assertThat(read.weights()).isEqualTo(Weights.RAW);
    assertThat(read.count()).isEqualTo(50);
    assertThat(read.reference()).isEqualTo("r");
    assertThat(read.distances()).isEqualTo(new Distances.Options(3, 100, 1000));
    assertThat(read.draw()).isEqualTo(DrawSettings.of(50, 3));
    assertThat(settings().read(EvaluateSettings::read).reference()).isEqualTo("o/reference");
  }

  @Test
  void refusesWhatItCannotMeasure() {
    assertThatThrownBy(
            () ->
                settings("neighbours=20", "count=41", "steps=0", "width=64")
                    .read(EvaluateSettings::read))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("count = 41 (command line): must be at least 42 with neighbours = 20")
        .hasMessageContaining("steps = 0")
        .hasMessageContaining("width = 64");
  }

  private static Settings settings(String... arguments) {
    List<String> all =
        new ArrayList<>(List.of("checkpoint=c", "dataset=d", "encoders=e", "output=o"));
    all.addAll(List.of(arguments));
    return Settings.load(REFERENCES, null, all);
  }
}
