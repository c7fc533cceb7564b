package org.latentspark.unet;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.latentspark.tensor.ParameterTable;
import org.latentspark.tensor.SafetensorsReader;
import org.latentspark.tensor.Tensors;

/** Runs Stable Diffusion 1.5's U-Net at its size, beside what diffusers computed. */
@Tag("slow")
@Tag("parity")
class TestUNet2DFullSize {
  private static final Path FIXTURES = Path.of("src/test/fixtures/unet");
  private static final long GIBIBYTE = 1L << 30;

  @Test
  void stableDiffusion1DenoisesInItsWeightsAndLittleMore() throws IOException {
    UNet2DConditionModel model =
        new UNet2DConditionModel(
            UNet2DConditionConfig.fromJson(
                Files.readString(FIXTURES.resolve("published/stable-diffusion-1-5.json"))));
    ParameterTable table = model.parameters();
    long before = Pointer.physicalBytes();
    forgetPeak();
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard();
        SafetensorsReader expected = expected()) {
      table.allocate();
      ReferenceValues.fill(table);
      Tensor output =
          model.forward(
              ReferenceValues.of("sample", 1, 4, 64, 64),
              Tensors.of(new long[] {420}, 1),
              ReferenceValues.of("text", 1, 77, 768),
              null);
      assertThat(TestUNet2DParity.distance(output, expected.read("output"))).isLessThan(1e-4);
      assertThat(peak() - before)
          .as("bytes beyond the weights")
          .isLessThan(table.count() * Float.BYTES + GIBIBYTE);
    } finally {
      release(table);
    }
  }

  private static SafetensorsReader expected() throws IOException {
    return SafetensorsReader.open(
        new org.apache.hadoop.fs.Path(
            FIXTURES.resolve("stable-diffusion-1.output.safetensors").toString()),
        new Configuration());
  }

  /** Lets 3.4 GB go now, not when the garbage collector finds their last reference. */
  private static void release(ParameterTable table) {
    try (PointerScope scope = new PointerScope()) {
      table.bind(torch.zeros(1).expand(table.count()));
    }
  }

  /** Sets the process's peak of resident memory to what it holds now. */
  private static void forgetPeak() throws IOException {
    Files.writeString(Path.of("/proc/self/clear_refs"), "5");
  }

  private static long peak() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmHWM:")) {
        return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    throw new IOException("/proc/self/status has no VmHWM");
  }
}
