package org.latentspark.unet;

import org.bytedeco.pytorch.Tensor;
import org.latentspark.model.Conv2d;
import org.latentspark.model.GroupNorm;
import org.latentspark.model.Linear;
import org.latentspark.tensor.ParameterScope;
import org.latentspark.tensor.Tensors;

/**
 * A transformer over the pixels of a feature map, added to it: diffusers' {@code
 * Transformer2DModel} (Rombach et al., 2022).
 */
final class Transformer2D {
  private static final double EPSILON = 1e-6;

  private final GroupNorm norm;
  private final Projection in;
  private final TransformerBlock block;
  private final Projection out;

  Transformer2D(ParameterScope scope, UNet2DConditionConfig config, int channels, int heads) {
    this.norm = new GroupNorm(scope.child("norm"), config.normNumGroups(), channels, EPSILON);
    this.in = projection(scope.child("proj_in"), config, channels);
    this.block =
        new TransformerBlock(
            scope.child("transformer_blocks", 0), channels, config.crossAttentionDim(), heads);
    this.out = projection(scope.child("proj_out"), config, channels);
  }

  /** Maps features [B, channels, h, w], given the text [B, T, D], to the same shape. */
  Tensor forward(Tensor input, Tensor context) {
    return Tensors.scoped(
        () -> {
          Tensor pixels = in.toPixels(norm.forward(input));
          return input.add(out.toMap(block.forward(pixels, context), Tensors.sizes(input)));
        });
  }

  private static Projection projection(
      ParameterScope scope, UNet2DConditionConfig config, int channels) {
    if (config.useLinearProjection()) {
      return new LinearProjection(Linear.withBias(scope, channels, channels));
    }
    return new ConvolutionProjection(new Conv2d(scope, channels, channels, 1, 1, 0));
  }

  private static Tensor pixels(Tensor map) {
    return map.flatten(2, 3).transpose(1, 2);
  }

  private static Tensor map(Tensor pixels, long[] shape) {
    return pixels.transpose(1, 2).reshape(shape);
  }

  /** A map of every pixel's channels, with the change between map and pixel order around it. */
  private sealed interface Projection permits LinearProjection, ConvolutionProjection {
    Tensor toPixels(Tensor map);

    Tensor toMap(Tensor pixels, long[] shape);
  }

  private record LinearProjection(Linear linear) implements Projection {
    @Override
    public Tensor toPixels(Tensor map) {
      return linear.forward(pixels(map));
    }

    @Override
    public Tensor toMap(Tensor pixels, long[] shape) {
      return map(linear.forward(pixels), shape);
    }
  }

  private record ConvolutionProjection(Conv2d convolution) implements Projection {
    @Override
    public Tensor toPixels(Tensor map) {
      return pixels(convolution.forward(map));
    }

    @Override
    public Tensor toMap(Tensor pixels, long[] shape) {
      return convolution.forward(map(pixels, shape));
    }
  }
}
