package org.latentspark.averaging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.latentspark.cli.Settings;
import org.latentspark.cli.UsageException;

class TestStepBench {
  private final StepBench benchmark = new StepBench();

  @Test
  void defaultsArePinned() {
    Map<String, Object> expected = new TreeMap<>();
    expected.put("precision", "fp32");
    expected.put("batch-size", 4);
    expected.put("latents", 32);
    expected.put("threads", 1);
    expected.put("steps", 4);
    expected.put("rounds", 3);
    expected.put("peer.venv", "");
    assertThat(Settings.defaults(benchmark.references())).isEqualTo(expected);
  }

  @Test
  void withoutItsPeerItSaysWhatToInstall() {
    Settings settings =
        Settings.load(benchmark.references(), null, List.of("peer.venv=target/no-such-folder"));
    assertThatThrownBy(() -> settings.read(benchmark::configure))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("peer.venv = target/no-such-folder")
        .hasMessageContaining("diffusers==0.42.0");
  }
}
