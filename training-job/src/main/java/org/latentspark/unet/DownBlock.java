package org.latentspark.unet;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.latentspark.model.Downsample2D;
import org.latentspark.model.ResnetBlock2D;
import org.latentspark.tensor.ParameterScope;
import org.latentspark.tensor.Tensors;

/**
 * One level of the way down: diffusers' {@code CrossAttnDownBlock2D}, or without attentions its
 * {@code DownBlock2D}.
 */
final class DownBlock {
  private final List<Transformer2D> attentions = new ArrayList<>();
  private final List<ResnetBlock2D> resnets = new ArrayList<>();
  private final Downsample2D downsampler;

  DownBlock(ParameterScope scope, UNet2DConditionConfig config, int level, long timeWidth) {
    List<Integer> channels = config.blockOutChannels();
    int in = channels.get(Math.max(level - 1, 0));
    int out = channels.get(level);
    boolean attends = config.downBlockTypes().get(level).startsWith("CrossAttn");
    for (int layer = 0; attends && layer < config.layersPerBlock(); layer++) {
      attentions.add(
          new Transformer2D(
              scope.child("attentions", layer), config, out, config.attentionHeads().get(level)));
    }
    for (int layer = 0; layer < config.layersPerBlock(); layer++) {
      resnets.add(
          new ResnetBlock2D(
              scope.child("resnets", layer),
              layer == 0 ? in : out,
              out,
              timeWidth,
              config.normNumGroups(),
              config.normEps()));
    }
    boolean last = level == channels.size() - 1;
    Downsample2D.Padding padding =
        config.downsamplePadding() == 1 ? Downsample2D.Padding.AROUND : Downsample2D.Padding.AFTER;
    this.downsampler = last ? null : new Downsample2D(scope.child("downsamplers", 0), out, padding);
  }

  /** Runs the level on [B, C, h, w]; returns each layer's features, its result last. */
  List<Tensor> forward(Tensor input, Tensor time, Tensor context) {
    List<Tensor> features = new ArrayList<>();
    Tensor hidden = input;
    for (int layer = 0; layer < resnets.size(); layer++) {
      ResnetBlock2D resnet = resnets.get(layer);
      Tensor before = hidden;
      hidden = Tensors.scoped(() -> resnet.forward(before, time));
      if (!attentions.isEmpty()) {
        hidden = attentions.get(layer).forward(hidden, context);
      }
      features.add(hidden);
    }
    if (downsampler != null) {
      features.add(downsampler.forward(hidden));
    }
    return features;
  }
}
