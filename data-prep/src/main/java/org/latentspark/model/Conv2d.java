package org.latentspark.model;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.latentspark.tensor.Initializer;
import org.latentspark.tensor.Parameter;
import org.latentspark.tensor.ParameterScope;

/** A square two-dimensional convolution with bias: [B, in, H, W] to [B, out, H', W']. */
public final class Conv2d {
  private static final long[] DILATION = {1, 1};
  private final Parameter weight;
  private final Parameter bias;
  private final long[] stride;
  private final long[] padding;

  /** Declares weight [out, in, kernel, kernel] and bias [out] under {@code scope}. */
  public Conv2d(ParameterScope scope, long in, long out, long kernel, long stride, long padding) {
    this(scope, in, out, kernel, stride, padding, Initializer.fanIn(in * kernel * kernel));
  }

  /** Declares a convolution whose weight and bias start from {@code initializer}. */
  public Conv2d(
      ParameterScope scope,
      long in,
      long out,
      long kernel,
      long stride,
      long padding,
      Initializer initializer) {
    this.weight = scope.declare("weight", initializer, out, in, kernel, kernel);
    this.bias = scope.declare("bias", initializer, out);
    this.stride = new long[] {stride, stride};
    this.padding = new long[] {padding, padding};
  }

  /** Convolves {@code input} [B, in, H, W]. */
  public Tensor forward(Tensor input) {
    return torch.conv2d(
        input, weight.tensor(), new TensorOptional(bias.tensor()), stride, padding, DILATION, 1);
  }
}
