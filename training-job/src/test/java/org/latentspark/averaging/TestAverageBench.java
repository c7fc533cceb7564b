package org.latentspark.averaging;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.latentspark.cli.Settings;

class TestAverageBench {
  private final AverageBench benchmark = new AverageBench();

  @Test
  void defaultsArePinned() {
    Map<String, Object> expected = new TreeMap<>();
    expected.put("peer-rounds", 4);
    expected.put("rounds", 100);
    expected.put("frequency", 50);
    expected.put("batch-size", 4);
    expected.put("latents", 16);
    assertThat(Settings.defaults(benchmark.references())).isEqualTo(expected);
    Settings settings = Settings.load(benchmark.references(), null, java.util.List.of());
    settings.read(benchmark::configure);
    assertThat(settings.unread()).isEmpty();
  }
}
