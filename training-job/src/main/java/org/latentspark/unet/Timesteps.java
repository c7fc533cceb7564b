package org.latentspark.unet;

import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Sinusoidal embedding of the time step (Vaswani et al., 2017; Ho et al., 2020): [B] to [B, width],
 * always in fp32, since bfloat16 cannot tell neighbouring steps near 1000 apart.
 */
final class Timesteps {
  private static final double LONGEST_PERIOD = 10000;

  private final int width;
  private final int frequencyShift;
  private final boolean flipped;

  Timesteps(int width, int frequencyShift, boolean flipped) {
    this.width = width;
    this.frequencyShift = frequencyShift;
    this.flipped = flipped;
  }

  Tensor forward(Tensor timesteps) {
    int half = width / 2;
    TensorOptions options =
        new TensorOptions(ScalarType.Float).device(new DeviceOptional(timesteps.device()));
    Tensor frequencies =
        torch
            .arange(new Scalar(half), options)
            .mul(new Scalar(-Math.log(LONGEST_PERIOD)))
            .div(new Scalar(half - frequencyShift))
            .exp();
    Tensor angles = timesteps.to(ScalarType.Float).unsqueeze(1).mul(frequencies.unsqueeze(0));
    Tensor sines = angles.sin();
    Tensor cosines = angles.cos();
    return torch.cat(
        flipped ? new TensorVector(cosines, sines) : new TensorVector(sines, cosines), 1);
  }
}
