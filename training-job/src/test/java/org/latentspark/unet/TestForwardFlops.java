package org.latentspark.unet;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Counts as PyTorch's FlopCounterMode does for diffusers' models: fixtures/count_flops.py. */
@Tag("parity")
class TestForwardFlops {
  @ParameterizedTest
  @CsvSource({
    "sd15-256, 32, 77, 859520964, 180106444800",
    "sd15-512, 64, 77, 859520964, 803273441280",
    "quickstart, 8, 32, 4386440, 212336640"
  })
  void areThoseOfTheReference(String preset, int edge, int tokens, long parameters, double flops)
      throws IOException {
    UNet2DConditionConfig config =
        UNet2DConditionConfig.fromJson(
            Files.readString(Path.of("..", "conf", preset, "unet.json")));
    assertThat(new UNet2DConditionModel(config).parameters().count()).isEqualTo(parameters);
    assertThat(ForwardFlops.of(config, edge, edge, tokens)).isEqualTo(flops);
  }
}
