package org.latentspark.model;

import org.bytedeco.pytorch.Tensor;
import org.latentspark.tensor.ParameterScope;

/** The coarsest level of {@link AutoencoderKL}'s halves: a residual block, attention, another. */
final class MiddleBlock {
  private final ResnetBlock2D before;
  private final SpatialAttention attention;
  private final ResnetBlock2D after;

  MiddleBlock(ParameterScope scope, AutoencoderKLConfig config) {
    long width = config.blockOutChannels().get(config.blockOutChannels().size() - 1);
    long groups = config.normNumGroups();
    this.before =
        new ResnetBlock2D(scope.child("resnets", 0), width, width, 0, groups, Encoder.EPSILON);
    this.attention =
        config.midBlockAddAttention()
            ? new SpatialAttention(scope.child("attentions", 0), width, groups, Encoder.EPSILON)
            : null;
    this.after =
        new ResnetBlock2D(scope.child("resnets", 1), width, width, 0, groups, Encoder.EPSILON);
  }

  Tensor forward(Tensor input) {
    Tensor hidden = before.forward(input);
    return after.forward(attention == null ? hidden : attention.forward(hidden));
  }
}
