package org.latentspark.model;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.latentspark.tensor.ParameterScope;
import org.latentspark.tensor.Tensors;

/** The decoder of {@link AutoencoderKL}: [B, C, h, w] to [B, 3, H, W]. */
final class Decoder {
  private final Conv2d in;
  private final MiddleBlock middle;
  private final List<Level> levels = new ArrayList<>();
  private final GroupNorm normOut;
  private final Conv2d out;

  private record Level(List<ResnetBlock2D> blocks, Upsample2D upsample) {}

  Decoder(ParameterScope scope, AutoencoderKLConfig config) {
    List<Integer> channels = config.blockOutChannels();
    int last = channels.size() - 1;
    long groups = config.normNumGroups();
    long width = channels.get(last);
    this.in = new Conv2d(scope.child("conv_in"), config.latentChannels(), width, 3, 1, 1);
    this.middle = new MiddleBlock(scope.child("mid_block"), config);
    for (int level = 0; level <= last; level++) {
      ParameterScope place = scope.child("up_blocks", level);
      List<ResnetBlock2D> blocks = new ArrayList<>();
      for (int block = 0; block <= config.layersPerBlock(); block++) {
        long next = channels.get(last - level);
        blocks.add(
            new ResnetBlock2D(
                place.child("resnets", block), width, next, 0, groups, Encoder.EPSILON));
        width = next;
      }
      Upsample2D upsample =
          level == last ? null : new Upsample2D(place.child("upsamplers", 0), width);
      levels.add(new Level(blocks, upsample));
    }
    this.normOut = new GroupNorm(scope.child("conv_norm_out"), groups, width, Encoder.EPSILON);
    this.out = new Conv2d(scope.child("conv_out"), width, config.outChannels(), 3, 1, 1);
  }

  Tensor forward(Tensor latents) {
    Tensor hidden = middle.forward(in.forward(latents));
    for (Level level : levels) {
      for (ResnetBlock2D block : level.blocks()) {
        Tensor input = hidden;
        hidden = Tensors.scoped(() -> block.forward(input));
      }
      if (level.upsample() != null) {
        Tensor input = hidden;
        hidden = Tensors.scoped(() -> level.upsample().forward(input));
      }
    }
    return out.forward(torch.silu(normOut.forward(hidden)));
  }
}
