package org.latentspark.retrain;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.latentspark.cli.Settings;
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
    Settings prep = load("prep.conf", new PrepJob().references(), "encoders=e", "output=o");
    prep.read(new PrepJob()::configure);
    Settings train =
        load("train.conf", new TrainJob().references(), "dataset=d", "output=o", model);
    train.read(new TrainJob()::configure);
    Settings evaluate =
        load(
            "evaluate.conf",
            new EvaluateJob().references(),
            "checkpoint=c",
            "dataset=d",
            "encoders=e",
            "output=o");
    evaluate.read(new EvaluateJob()::configure);
    load("retrain.conf", REFERENCE).read(settings -> settings.required("models"));
  }

  private static Settings load(String file, List<String> references, String... overrides) {
    return Settings.load(references, NIGHTLY.resolve(file), List.of(overrides));
  }
}
