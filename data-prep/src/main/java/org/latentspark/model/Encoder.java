package org.latentspark.model;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.latentspark.tensor.Initializer;
import org.latentspark.tensor.ParameterScope;
import org.latentspark.tensor.Tensors;

/** The encoder of {@link AutoencoderKL}: [B, 3, H, W] to [B, 2C, h, w]. */
final class Encoder {
  static final double EPSILON = 1e-6;
  private final Conv2d in;
  private final List<Level> levels = new ArrayList<>();
  private final MiddleBlock middle;
  private final GroupNorm normOut;
  private final Conv2d out;

  private record Level(List<ResnetBlock2D> blocks, Downsample2D downsample) {}

  Encoder(ParameterScope scope, AutoencoderKLConfig config, Initializer moments) {
    List<Integer> channels = config.blockOutChannels();
    int last = channels.size() - 1;
    long groups = config.normNumGroups();
    this.in = new Conv2d(scope.child("conv_in"), config.inChannels(), channels.get(0), 3, 1, 1);
    long width = channels.get(0);
    for (int level = 0; level <= last; level++) {
      ParameterScope place = scope.child("down_blocks", level);
      List<ResnetBlock2D> blocks = new ArrayList<>();
      for (int block = 0; block < config.layersPerBlock(); block++) {
        long next = channels.get(level);
        blocks.add(
            new ResnetBlock2D(place.child("resnets", block), width, next, 0, groups, EPSILON));
        width = next;
      }
      Downsample2D downsample =
          level == last
              ? null
              : new Downsample2D(place.child("downsamplers", 0), width, Downsample2D.Padding.AFTER);
      levels.add(new Level(blocks, downsample));
    }
    this.middle = new MiddleBlock(scope.child("mid_block"), config);
    this.normOut = new GroupNorm(scope.child("conv_norm_out"), groups, width, EPSILON);
    this.out =
        new Conv2d(scope.child("conv_out"), width, 2L * config.latentChannels(), 3, 1, 1, moments);
  }

  Tensor forward(Tensor pixels) {
    Tensor hidden = in.forward(pixels);
    for (Level level : levels) {
      for (ResnetBlock2D block : level.blocks()) {
        Tensor input = hidden;
        hidden = Tensors.scoped(() -> block.forward(input));
      }
      if (level.downsample() != null) {
        Tensor input = hidden;
        hidden = Tensors.scoped(() -> level.downsample().forward(input));
      }
    }
    return out.forward(torch.silu(normOut.forward(middle.forward(hidden))));
  }
}
