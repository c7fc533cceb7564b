package org.latentspark.evaluate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.Launcher;
import org.latentspark.cli.Settings;
import org.latentspark.latents.LatentShape;
import org.latentspark.sample.TinyModels;
import org.latentspark.train.TinyDataset;

class TestSamplerBench {
  @TempDir private Path folder;

  @Test
  void keepsItsDefaults() {
    assertThat(Settings.defaults(new SamplerBench().references()))
        .containsExactlyInAnyOrderEntriesOf(
            Map.of(
                "checkpoint", "",
                "dataset", "",
                "encoders", "",
                "output", "",
                "split", "train",
                "count", 120,
                "timestep-spacing", "trailing",
                "guidance-scale", 1,
                "batch-size", 12,
                "seed", 2026));
  }

  @Test
  @Tag("slow")
  void measuresEverySamplerOnTheSamePairs() throws IOException {
    TinyModels.encoders(folder.resolve("encoders"));
    TinyModels.imageEncoder(folder.resolve("encoders"));
    TinyModels.checkpoint(folder.resolve("checkpoint"));
    TinyDataset.write(folder.resolve("dataset"), new LatentShape(4, 8, 8), 8, 12, 1, 1, 2);
    String[] arguments = {
      "checkpoint=" + folder.resolve("checkpoint"),
      "encoders=" + folder.resolve("encoders"),
      "dataset=" + folder.resolve("dataset"),
      "output=" + folder.resolve("out"),
      "count=10"
    };
    assertThat(Launcher.run(new SamplerBench(), arguments)).isZero();
    JsonNode found = new ObjectMapper().readTree(folder.resolve("out/samplers.json").toFile());
    assertThat(found.get("pairs").asInt()).isEqualTo(10);
    assertThat(found.get("samplers").findValuesAsText("steps"))
        .isEqualTo(List.of("10", "20", "50", "1000"));
    for (JsonNode row : found.get("samplers")) {
      assertThat(row.get("seconds_per_picture").asDouble()).isPositive();
      JsonNode distance = row.get("frechet_distance");
      assertThat(distance.get("value").asDouble())
          .isBetween(distance.get("low").asDouble(), distance.get("high").asDouble());
      assertThat(folder.resolve("out/" + row.get("grid").asText())).isNotEmptyFile();
    }
  }
}
