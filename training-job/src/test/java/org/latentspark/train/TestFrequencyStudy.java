package org.latentspark.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.Launcher;
import org.latentspark.cli.Settings;
import org.latentspark.cli.UsageException;
import org.latentspark.graph.TinyUNet;
import org.latentspark.tensor.Natives;

class TestFrequencyStudy {
  @TempDir private Path folder;

  @Test
  void defaultsArePinned() {
    Map<String, Object> expected = new TreeMap<>();
    expected.put("dataset", "");
    expected.put("model", "");
    expected.put("output", "");
    expected.put("examples", 51200);
    expected.put("batch-size", 8);
    expected.put("frequencies", List.of(1, 10, 50, 200));
    expected.put("workers", List.of(1, 2, 4));
    expected.put("outers", List.of("plain", "nesterov"));
    expected.put("learning-rate", 1.5e-3);
    expected.put("measurements", 8);
    expected.put("seed", 2026);
    FrequencyStudy study = new FrequencyStudy();
    assertThat(Settings.defaults(study.references())).isEqualTo(expected);
    Settings settings =
        Settings.load(study.references(), null, List.of("dataset=d", "model=m", "output=o"));
    settings.read(study::configure);
    assertThat(settings.unread()).isEmpty();
  }

  @Test
  void examplesThatDoNotDivideAreRefused() {
    FrequencyStudy study = new FrequencyStudy();
    Settings settings =
        Settings.load(
            study.references(),
            null,
            List.of("dataset=d", "model=m", "output=o", "examples=1000", "frequencies=[0,x]"));
    assertThatThrownBy(() -> settings.read(study::configure))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("examples = 1000")
        .hasMessageContaining("must be a multiple of batch-size times")
        .hasMessageContaining("frequencies")
        .hasMessageContaining("must be whole numbers from 1");
  }

  @Test
  @Tag("slow")
  void smallStudyIsDrawn() throws Exception {
    Natives.operationThreads(1);
    System.setProperty("spark.ui.enabled", "false");
    try {
      TinyDataset.write(folder.resolve("dataset"), 20, 4, 1);
      Files.writeString(folder.resolve("unet.json"), TinyUNet.CONFIG);
      int code =
          Launcher.run(
              new FrequencyStudy(),
              new String[] {
                "dataset=" + folder.resolve("dataset"),
                "model=" + folder.resolve("unet.json"),
                "output=" + folder.resolve("study"),
                "examples=64",
                "batch-size=2",
                "frequencies=[2,4]",
                "workers=[1,2]",
                "outers=[plain]",
                "measurements=4"
              });
      assertThat(code).isZero();
    } finally {
      System.clearProperty("spark.ui.enabled");
    }
    assertThat(folder.resolve("study/study.svg"))
        .content()
        .contains("2 workers: held-out loss by examples", "H = 4")
        .containsPattern("points=\"\\d+\\.\\d,\\d+\\.\\d \\d+");
    // One run of the lone worker stands for all its H.
    assertThat(Files.readString(folder.resolve("study/study.json")).split("\"frequency\""))
        .hasSize(4);
  }
}
