package org.latentspark.unet;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.latentspark.model.ResnetBlock2D;
import org.latentspark.model.Upsample2D;
import org.latentspark.tensor.ParameterScope;
import org.latentspark.tensor.Tensors;

/**
 * One level of the way up: diffusers' {@code CrossAttnUpBlock2D}, or without attentions its {@code
 * UpBlock2D}.
 */
final class UpBlock {
  private final List<Transformer2D> attentions = new ArrayList<>();
  private final List<ResnetBlock2D> resnets = new ArrayList<>();
  private final Upsample2D upsampler;

  /** Declares the level that comes {@code index}-th on the way up, 0 the innermost. */
  UpBlock(ParameterScope scope, UNet2DConditionConfig config, int index, long timeWidth) {
    List<Integer> channels = config.blockOutChannels();
    int level = channels.size() - 1 - index;
    int below = channels.get(Math.min(level + 1, channels.size() - 1));
    int out = channels.get(level);
    int above = channels.get(Math.max(level - 1, 0));
    int layers = config.layersPerBlock() + 1;
    boolean attends = config.upBlockTypes().get(index).startsWith("CrossAttn");
    for (int layer = 0; attends && layer < layers; layer++) {
      attentions.add(
          new Transformer2D(
              scope.child("attentions", layer), config, out, config.attentionHeads().get(level)));
    }
    for (int layer = 0; layer < layers; layer++) {
      int skip = layer == layers - 1 ? above : out;
      int in = (layer == 0 ? below : out) + skip;
      resnets.add(
          new ResnetBlock2D(
              scope.child("resnets", layer),
              in,
              out,
              timeWidth,
              config.normNumGroups(),
              config.normEps()));
    }
    this.upsampler = level == 0 ? null : new Upsample2D(scope.child("upsamplers", 0), out);
  }

  /** Returns how many of the features from the way down the level takes. */
  int skips() {
    return resnets.size();
  }

  /** Runs the level on [B, C, h, w], taking the last of {@code skips} for each layer. */
  Tensor forward(Tensor input, Tensor time, Tensor context, List<Tensor> skips) {
    Tensor hidden = input;
    for (int layer = 0; layer < resnets.size(); layer++) {
      ResnetBlock2D resnet = resnets.get(layer);
      Tensor below = hidden;
      Tensor skip = skips.remove(skips.size() - 1);
      hidden =
          Tensors.scoped(() -> resnet.forward(torch.cat(new TensorVector(below, skip), 1), time));
      if (!attentions.isEmpty()) {
        hidden = attentions.get(layer).forward(hidden, context);
      }
    }
    if (upsampler == null) {
      return hidden;
    }
    // The size of the level above, which is odd where its downsampler rounded up.
    Tensor next = skips.get(skips.size() - 1);
    Tensor last = hidden;
    return Tensors.scoped(() -> upsampler.forward(last, next.size(2), next.size(3)));
  }
}
