package org.latentspark.averaging;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.latentspark.tensor.Natives;
import org.latentspark.tensor.SafetensorsReader;
import org.latentspark.tensor.Tensors;
import org.latentspark.tensor.VectorMemory;

class TestOuterOptimizer {
  private static final Path FIXTURE = new Path("src/test/fixtures/outer/nesterov.safetensors");

  @BeforeAll
  static void oneThread() {
    Natives.operationThreads(1);
  }

  @Test
  @Tag("parity")
  void nesterovFollowsTorchsSgdToTheBit() throws IOException {
    try (PointerScope scope = new PointerScope();
        SafetensorsReader expected = SafetensorsReader.open(FIXTURE, new Configuration());
        OuterOptimizer outer =
            new OuterOptimizer.NesterovSettings(0.7, 0.9).create(67, VectorMemory.RESIDENT)) {
      Tensor average = expected.read("start").clone();
      Tensor differences = expected.read("differences");
      Tensor averages = expected.read("averages");
      for (int round = 0; round < differences.size(0); round++) {
        Tensor difference = differences.select(0, round).clone();
        // In two chunks, as long vectors are.
        outer.step(average.narrow(0, 0, 64), difference.narrow(0, 0, 64), 0);
        outer.step(average.narrow(0, 64, 3), difference.narrow(0, 64, 3), 64);
        assertThat(Tensors.floats(average))
            .as("average after round %d", round)
            .containsExactly(Tensors.floats(averages.select(0, round)));
      }
    }
  }

  @Test
  void plainAddsTheMeanDifferenceAndKeepsNothing() {
    try (PointerScope scope = new PointerScope();
        OuterOptimizer outer =
            new OuterOptimizer.PlainSettings().create(2, VectorMemory.RESIDENT)) {
      Tensor average = Tensors.of(new float[] {1, 2}, 2);
      outer.step(average, Tensors.of(new float[] {0.5f, -4}, 2), 0);
      assertThat(Tensors.floats(average)).containsExactly(1.5f, -2);
      assertThat(outer.state()).isEmpty();
    }
  }

  @Test
  void nesterovOfRateOneWithoutMomentumIsPlain() {
    try (PointerScope scope = new PointerScope();
        OuterOptimizer outer =
            new OuterOptimizer.NesterovSettings(1, 0).create(2, VectorMemory.RESIDENT)) {
      Tensor average = Tensors.of(new float[] {1, 2}, 2);
      for (int round = 0; round < 3; round++) {
        outer.step(average, Tensors.of(new float[] {0.5f, -4}, 2), 0);
      }
      assertThat(Tensors.floats(average)).containsExactly(2.5f, -10);
      assertThat(outer.state().keySet()).containsExactly("outer_momentum_buffer");
    }
  }

  @Test
  void stateIsWhatTheNextStepStartsFrom() {
    try (PointerScope scope = new PointerScope();
        OuterOptimizer whole =
            new OuterOptimizer.NesterovSettings(0.7, 0.9).create(5, VectorMemory.RESIDENT);
        OuterOptimizer resumed =
            new OuterOptimizer.NesterovSettings(0.7, 0.9).create(5, VectorMemory.RESIDENT)) {
      Tensor average = torch.ones(5);
      whole.step(average, torch.ones(5), 0);
      resumed.state().forEach((name, vector) -> vector.copy_(whole.state().get(name)));
      Tensor other = average.clone();
      whole.step(average, torch.ones(5), 0);
      resumed.step(other, torch.ones(5), 0);
      assertThat(Tensors.floats(other)).containsExactly(Tensors.floats(average));
      assertThat(average.select(0, 0).item_double()).as("faster than one step").isGreaterThan(2.4);
    }
  }
}
