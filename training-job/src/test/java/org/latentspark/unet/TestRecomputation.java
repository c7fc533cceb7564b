package org.latentspark.unet;

import static org.assertj.core.api.Assertions.assertThat;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.latentspark.tensor.Natives;
import org.latentspark.tensor.Precision;
import org.latentspark.tensor.Recomputation;
import org.latentspark.tensor.Seeds;
import org.latentspark.tensor.Tensors;

/** Takes gradients of a U-Net whose blocks are computed again, beside one that keeps all. */
class TestRecomputation {
  private static final long SEED = 20261123;

  /** Three levels, so that a level has one both above and below it; odd sizes on the way down. */
  private static final String CONFIG =
      """
      {"_class_name": "UNet2DConditionModel", "sample_size": 6, "in_channels": 2,
       "out_channels": 2, "block_out_channels": [16, 32, 32], "layers_per_block": 2,
       "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
       "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
       "cross_attention_dim": 12, "attention_head_dim": 2, "norm_num_groups": 8}
      """;

  @BeforeAll
  static void oneThread() {
    Natives.operationThreads(1);
  }

  /** A loss and its gradients [n]. */
  private record Taken(double loss, float[] gradients) {}

  @ParameterizedTest
  @EnumSource(Precision.class)
  void gradientsAreThoseOfKeptActivations(Precision precision) {
    Taken kept = take(Activations.KEEP, precision);
    Taken again = take(Activations.RECOMPUTE, precision);
    assertThat(again.loss()).isEqualTo(kept.loss());
    double norm = 0;
    double distance = 0;
    for (int place = 0; place < kept.gradients().length; place++) {
      norm += Math.pow(kept.gradients()[place], 2);
      distance += Math.pow(again.gradients()[place] - kept.gradients()[place], 2);
    }
    // Where several blocks use a tensor, its gradients are added up in another order.
    assertThat(Math.sqrt(distance / norm)).isLessThan(precision == Precision.FP32 ? 1e-6 : 1e-2);
    assertThat(norm).as("square of the norm").isGreaterThan(1e-6);
  }

  @Test
  void withoutGradientsNothingIsRunAgain() {
    try (PointerScope scope = new PointerScope()) {
      UNet2DConditionModel model = model(Activations.RECOMPUTE);
      float[] plain = Tensors.floats(output(model));
      model.activations(Activations.KEEP);
      assertThat(plain).containsExactly(Tensors.floats(output(model)));
      assertThat(Recomputation.current()).isNull();
    }
  }

  private static Taken take(Activations activations, Precision precision) {
    try (PointerScope scope = new PointerScope()) {
      UNet2DConditionModel model = model(activations);
      Tensor gradients = torch.zeros(model.parameters().count());
      model.parameters().bind(model.parameters().values().clone(), gradients);
      Tensor loss;
      try (Recomputation blocks = Recomputation.begin(precision, DeviceType.CPU)) {
        try (Precision.Region region = precision.enter(DeviceType.CPU)) {
          loss = output(model).square().mean();
        }
        loss.backward();
        blocks.backward();
      }
      return new Taken(loss.item_double(), Tensors.floats(gradients));
    }
  }

  private static UNet2DConditionModel model(Activations activations) {
    UNet2DConditionModel model = new UNet2DConditionModel(UNet2DConditionConfig.fromJson(CONFIG));
    model.parameters().allocate();
    model.parameters().initialize(SEED);
    model.activations(activations);
    return model;
  }

  private static Tensor output(UNet2DConditionModel model) {
    return model.forward(
        torch.randn(new long[] {2, 2, 6, 6}, Seeds.generator(SEED, 1)),
        Tensors.of(new long[] {3, 700}, 2),
        torch.randn(new long[] {2, 5, 12}, Seeds.generator(SEED, 2)),
        null);
  }
}
