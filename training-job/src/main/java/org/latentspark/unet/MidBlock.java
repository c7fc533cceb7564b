package org.latentspark.unet;

import org.bytedeco.pytorch.Tensor;
import org.latentspark.model.ResnetBlock2D;
import org.latentspark.tensor.ParameterScope;
import org.latentspark.tensor.Tensors;

/** The innermost level: diffusers' {@code UNetMidBlock2DCrossAttn}. */
final class MidBlock {
  private final Transformer2D attention;
  private final ResnetBlock2D resnet0;
  private final ResnetBlock2D resnet1;

  MidBlock(ParameterScope scope, UNet2DConditionConfig config, long timeWidth) {
    int level = config.blockOutChannels().size() - 1;
    int channels = config.blockOutChannels().get(level);
    this.attention =
        new Transformer2D(
            scope.child("attentions", 0), config, channels, config.attentionHeads().get(level));
    this.resnet0 = resnet(scope.child("resnets", 0), config, channels, timeWidth);
    this.resnet1 = resnet(scope.child("resnets", 1), config, channels, timeWidth);
  }

  private static ResnetBlock2D resnet(
      ParameterScope scope, UNet2DConditionConfig config, int channels, long timeWidth) {
    return new ResnetBlock2D(
        scope, channels, channels, timeWidth, config.normNumGroups(), config.normEps());
  }

  Tensor forward(Tensor input, Tensor time, Tensor context) {
    Tensor first = Tensors.scoped(() -> resnet0.forward(input, time));
    Tensor attended = attention.forward(first, context);
    return Tensors.scoped(() -> resnet1.forward(attended, time));
  }
}
