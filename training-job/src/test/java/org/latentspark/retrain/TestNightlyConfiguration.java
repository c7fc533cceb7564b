package org.latentspark.retrain;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.latentspark.cli.Settings;
import org.latentspark.cli.Verb;
import org.latentspark.evaluate.EvaluateJob;
import org.latentspark.prep.PrepJob;
import org.latentspark.train.TrainJob;

class TestNightlyConfiguration {
  private static final Path NIGHTLY = Path.of("..", "conf", "nightly");
  private static final List<String> REFERENCE = List.of(RetrainSettings.REFERENCE);

  @Test
  void keepsItsDefaults() {
    assertThat(Settings.defaults(REFERENCE))
        .containsExactlyInAnyOrderEntriesOf(
            Map.ofEntries(
                Map.entry("models", ""),
                Map.entry("dataset", ""),
                Map.entry("encoders", ""),
                Map.entry("prep-conf", ""),
                Map.entry("train-conf", ""),
                Map.entry("evaluate-conf", ""),
                Map.entry("min-new-pairs", 1),
                Map.entry("keep", 3),
                Map.entry("promotion.figure", "validation-loss"),
                Map.entry("notify.command", ""),
                Map.entry("notify.timeout", "30 s")));
  }

  @Test
  void filesOfTheRepositoryAreAccepted() {
    String model = "model=" + Path.of("..", "conf", "quickstart", "unet.json");
    accept(new PrepJob(), "prep.conf", "encoders=e", "output=o");
    accept(new TrainJob(), "train.conf", "dataset=d", "output=o", model);
    accept(
        new EvaluateJob(), "evaluate.conf", "checkpoint=c", "dataset=d", "encoders=e", "output=o");
    load("retrain.conf", REFERENCE).read(settings -> settings.required("models"));
  }

  private static <C> void accept(Verb<C> verb, String file, String... overrides) {
    load(file, verb.references(), overrides).read(verb::configure);
  }

  private static Settings load(String file, List<String> references, String... overrides) {
    return Settings.load(references, NIGHTLY.resolve(file), List.of(overrides));
  }
}
