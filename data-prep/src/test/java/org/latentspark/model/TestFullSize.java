package org.latentspark.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Supplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.latentspark.tensor.Seeds;
import org.latentspark.tensor.Tensors;

/** Runs each encoder of Stable Diffusion once at its published size, with random weights. */
@Tag("slow")
class TestFullSize {
  private static final long GIBIBYTE = 1L << 30;
  private static final OperatingSystemMXBean CLOCK =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
  private TorchModel model;

  /** Puts memory that nothing touches in the place of the weights, so that no test pays for two. */
  @AfterEach
  void free() {
    model.parameters().bind(torch.empty(model.parameters().count()));
  }

  @Test
  void autoencoderDecodes512Pixels() throws IOException {
    AutoencoderKL autoencoder =
        new AutoencoderKL(AutoencoderKLConfig.fromJson(TestPublishedConfigs.text("sd15-vae")));
    start(autoencoder, 83_653_863);
    measure(
        "VAE, 64x64 latents to 512x512 pixels",
        8 * GIBIBYTE,
        () -> autoencoder.decode(torch.rand(new long[] {1, 4, 64, 64}, Seeds.generator(3))),
        1,
        3,
        512,
        512);
  }

  @Test
  void textEncoderOfStableDiffusion1Reads77Tokens() throws IOException {
    readsTokens("sd15-text_encoder", 123_060_480, 768);
  }

  @Test
  void textEncoderOfStableDiffusion2Reads77Tokens() throws IOException {
    readsTokens("sd21-text_encoder", 340_387_840, 1024);
  }

  private void readsTokens(String name, long count, long width) throws IOException {
    ClipTextModel text = new ClipTextModel(ClipTextConfig.parse(TestPublishedConfigs.text(name)));
    start(text, count);
    long[] ids = new long[77];
    Arrays.fill(ids, 49407);
    ids[0] = 49406;
    measure(
        name + ", 77 tokens",
        6 * GIBIBYTE,
        () -> text.hiddenStates(Tensors.of(ids, 1, 77)),
        1,
        77,
        width);
  }

  private void start(TorchModel started, long count) {
    assertThat(started.parameters().count()).isEqualTo(count);
    model = started;
    model.parameters().allocate();
    model.parameters().initialize(20261123);
  }

  private static void measure(String what, long limit, Supplier<Tensor> run, long... shape)
      throws IOException {
    // Linux starts the peak anew; elsewhere there is none to read.
    Files.writeString(Path.of("/proc/self/clear_refs"), "5");
    long start = CLOCK.getProcessCpuTime();
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      Tensor output = run.get();
      double seconds = (CLOCK.getProcessCpuTime() - start) / 1e9;
      long peak = peakBytes();
      System.out.printf(
          "%s: %.1f s of CPU, peak RSS %.2f GiB%n", what, seconds, (double) peak / GIBIBYTE);
      assertThat(Tensors.sizes(output)).isEqualTo(shape);
      assertThat(torch.isfinite(output).all().item_bool()).isTrue();
      assertThat(output.std().item_double()).isPositive();
      assertThat(peak).isLessThan(limit);
    }
  }

  private static long peakBytes() throws IOException {
    String status = Files.readString(Path.of("/proc/self/status"));
    String peak = status.replaceAll("(?s).*VmHWM:\\s+(\\d+) kB.*", "$1");
    return Long.parseLong(peak) * 1024;
  }
}
