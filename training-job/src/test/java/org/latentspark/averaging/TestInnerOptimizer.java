package org.latentspark.averaging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AdamW;
import org.bytedeco.pytorch.AdamWOptions;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.latentspark.graph.Architecture;
import org.latentspark.graph.TinyUNet;
import org.latentspark.model.TorchModel;
import org.latentspark.tensor.Natives;
import org.latentspark.tensor.Parameter;
import org.latentspark.tensor.Seeds;
import org.latentspark.tensor.Tensors;
import org.latentspark.tensor.VectorMemory;

class TestInnerOptimizer {
  private static final long SEED = 31;
  private static final int COUNT = 300_001;

  @BeforeAll
  static void load() {
    Natives.operationThreads(1);
  }

  @Test
  void adamWIsLibtorchsAdamW() throws Exception {
    try (PointerScope scope = new PointerScope()) {
      Tensor start = torch.randn(new long[] {COUNT}, Seeds.generator(SEED, 0));
      Tensor values = start.clone();
      Tensor reference = start.clone().set_requires_grad(true);
      AdamWOptions options = new AdamWOptions(1);
      options.weight_decay().put(0.05);
      options.eps().put(1e-6);
      AdamW peer = new AdamW(new TensorVector(reference), options);
      InnerOptimizer own =
          new InnerOptimizer.AdamWSettings(0.9, 0.999, 1e-6, 0.05, Decay.ALL)
              .create(COUNT, List.of(), VectorMemory.RESIDENT);
      for (int step = 0; step < 100; step++) {
        Tensor gradient = torch.randn(new long[] {COUNT}, Seeds.generator(SEED, 1, step));
        // Some gradients are tiny, so that epsilon counts; the rate changes as in a real run.
        gradient.narrow(0, 0, COUNT / 10).mul_(new Scalar(1e-6));
        double rate = 1e-2 * (1 + step % 7);
        reference.mutable_grad().put(gradient.clone());
        double sum = own.step(values, gradient, rate, step);
        assertThat(sum).isCloseTo(values.sum().item_double(), within(0.1));
        assertThat(gradient.count_nonzero().item_long()).as("gradients left behind").isZero();
        peer.param_groups().get(0).options().set_lr(rate);
        peer.step();
      }
      try (NoGradGuard guard = new NoGradGuard()) {
        assertThat(relative(values, reference)).as("distance after 100 steps").isLessThan(1e-6);
        assertThat(relative(reference, start)).as("way from the start").isGreaterThan(0.1);
      }
      own.close();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, COUNT / 2, COUNT - 1})
  void sumTellsOfAValueThatIsNotFinite(int place) {
    try (PointerScope scope = new PointerScope()) {
      for (InnerOptimizer.Settings settings :
          List.of(
              new InnerOptimizer.SgdSettings(),
              new InnerOptimizer.AdamWSettings(0.9, 0.999, 1e-8, 0.01, Decay.ALL))) {
        Tensor values = torch.zeros(COUNT);
        Tensor gradient = torch.ones(COUNT);
        gradient.narrow(0, place, 1).fill_(new Scalar(Double.NaN));
        InnerOptimizer optimizer = settings.create(COUNT, List.of(), VectorMemory.RESIDENT);
        assertThat(optimizer.step(values, gradient, 0.1, 0)).as("%s", settings).isNaN();
        optimizer.close();
      }
    }
  }

  @Test
  void normsAndBiasesStayOutOfTheDecayByChoice() {
    try (PointerScope scope = new PointerScope()) {
      TorchModel model = Architecture.UNET.build(TinyUNet.CONFIG);
      model.parameters().allocate();
      Tensor values = model.parameters().values();
      values.fill_(new Scalar(1));
      Tensor none = torch.zeros(values.numel());
      try (InnerOptimizer optimizer =
          new InnerOptimizer.AdamWSettings(0.9, 0.999, 1e-8, 0.5, Decay.MATRICES)
              .create(values.numel(), model.parameters().parameters(), VectorMemory.RESIDENT)) {
        optimizer.step(values, none, 0.5, 0);
      }
      int kept = 0;
      for (Parameter parameter : model.parameters().parameters()) {
        boolean decays = parameter.shape().length > 1;
        double expected = decays ? 0.75 : 1;
        assertThat(parameter.tensor().min().item_double())
            .as(parameter.name())
            .isEqualTo(parameter.tensor().max().item_double())
            .isEqualTo(expected);
        kept += decays ? 0 : 1;
      }
      assertThat(kept).as("norms and biases").isGreaterThan(20);
    }
  }

  @Test
  void adamWKeepsItsMomentsUnderPyTorchsNames() throws Exception {
    try (PointerScope scope = new PointerScope()) {
      InnerOptimizer optimizer =
          new InnerOptimizer.AdamWSettings(0.9, 0.99, 1e-8, 0, Decay.ALL)
              .create(2, List.of(), VectorMemory.RESIDENT);
      assertThat(optimizer.moments()).containsOnlyKeys("exp_avg", "exp_avg_sq");
      Tensor values = torch.zeros(2);
      optimizer.step(values, Tensors.of(new float[] {2, -4}, 2), 0.5, 0);
      assertThat(Tensors.floats(optimizer.moments().get("exp_avg")))
          .usingComparatorWithPrecision(1e-6f)
          .containsExactly(0.2f, -0.4f);
      assertThat(Tensors.floats(optimizer.moments().get("exp_avg_sq")))
          .usingComparatorWithPrecision(1e-6f)
          .containsExactly(0.04f, 0.16f);
      assertThat(Tensors.floats(values))
          .as("the first step moves each value by the rate")
          .usingComparatorWithPrecision(1e-6f)
          .containsExactly(-0.5f, 0.5f);
      optimizer.close();
    }
  }

  @Test
  void sgdFollowsTheGradientAndKeepsNothing() throws Exception {
    try (PointerScope scope = new PointerScope()) {
      InnerOptimizer optimizer =
          new InnerOptimizer.SgdSettings().create(2, List.of(), VectorMemory.RESIDENT);
      Tensor values = Tensors.of(new float[] {1, 1}, 2);
      optimizer.step(values, Tensors.of(new float[] {2, -4}, 2), 0.25, 7);
      assertThat(Tensors.floats(values)).containsExactly(0.5f, 2);
      assertThat(optimizer.moments()).isEmpty();
    }
  }

  private static double relative(Tensor actual, Tensor expected) {
    return actual.sub(expected).norm().item_double() / expected.norm().item_double();
  }
}
