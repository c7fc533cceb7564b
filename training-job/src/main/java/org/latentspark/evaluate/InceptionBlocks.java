package org.latentspark.evaluate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.latentspark.tensor.Initializer;
import org.latentspark.tensor.Parameter;
import org.latentspark.tensor.ParameterScope;

/** The parts of Inception v3, under the names of torchvision's {@code inception_v3}. */
final class InceptionBlocks {
  private static final double EPSILON = 0.001;
  private static final long[] ONE = {1, 1};
  private static final long[] TWO = {2, 2};
  private static final long[] THREE = {3, 3};
  private static final long[] NONE = {0, 0};

  private InceptionBlocks() {}

  /** Turns [B, in, H, W] into [B, out, H', W']. */
  interface Block {
    Tensor forward(Tensor input);
  }

  /** Returns the layers before the first mixed block. */
  static List<Block> stem(ParameterScope root) {
    return List.of(
        convolution(root, "Conv2d_1a_3x3", 3, 32, 3, 3, 2, 0, 0),
        convolution(root, "Conv2d_2a_3x3", 32, 32, 3, 3, 1, 0, 0),
        convolution(root, "Conv2d_2b_3x3", 32, 64, 3, 3, 1, 1, 1),
        InceptionBlocks::halved,
        convolution(root, "Conv2d_3b_1x1", 64, 80, 1, 1, 1, 0, 0),
        convolution(root, "Conv2d_4a_3x3", 80, 192, 3, 3, 1, 0, 0),
        InceptionBlocks::halved);
  }

  /** Returns the eleven mixed blocks. */
  static List<Block> mixed(ParameterScope root) {
    return List.of(
        small(root.child("Mixed_5b"), 192, 32),
        small(root.child("Mixed_5c"), 256, 64),
        small(root.child("Mixed_5d"), 288, 64),
        firstReduction(root.child("Mixed_6a")),
        factored(root.child("Mixed_6b"), 128),
        factored(root.child("Mixed_6c"), 160),
        factored(root.child("Mixed_6d"), 160),
        factored(root.child("Mixed_6e"), 192),
        secondReduction(root.child("Mixed_7a")),
        expanded(root.child("Mixed_7b"), 1280, InceptionBlocks::averaged),
        // The FID's network takes the largest here, where Inception v3 takes the mean.
        expanded(
            root.child("Mixed_7c"),
            2048,
            input -> torch.max_pool2d(input, THREE, ONE, ONE, ONE, false)));
  }

  private static Block small(ParameterScope at, long in, long pool) {
    return beside(
        convolution(at, "branch1x1", in, 64, 1, 1, 1, 0, 0),
        chain(
            convolution(at, "branch5x5_1", in, 48, 1, 1, 1, 0, 0),
            convolution(at, "branch5x5_2", 48, 64, 5, 5, 1, 2, 2)),
        chain(
            convolution(at, "branch3x3dbl_1", in, 64, 1, 1, 1, 0, 0),
            convolution(at, "branch3x3dbl_2", 64, 96, 3, 3, 1, 1, 1),
            convolution(at, "branch3x3dbl_3", 96, 96, 3, 3, 1, 1, 1)),
        chain(InceptionBlocks::averaged, convolution(at, "branch_pool", in, pool, 1, 1, 1, 0, 0)));
  }

  private static Block firstReduction(ParameterScope at) {
    return beside(
        convolution(at, "branch3x3", 288, 384, 3, 3, 2, 0, 0),
        chain(
            convolution(at, "branch3x3dbl_1", 288, 64, 1, 1, 1, 0, 0),
            convolution(at, "branch3x3dbl_2", 64, 96, 3, 3, 1, 1, 1),
            convolution(at, "branch3x3dbl_3", 96, 96, 3, 3, 2, 0, 0)),
        InceptionBlocks::halved);
  }

  private static Block factored(ParameterScope at, long inner) {
    return beside(
        convolution(at, "branch1x1", 768, 192, 1, 1, 1, 0, 0),
        chain(
            convolution(at, "branch7x7_1", 768, inner, 1, 1, 1, 0, 0),
            convolution(at, "branch7x7_2", inner, inner, 1, 7, 1, 0, 3),
            convolution(at, "branch7x7_3", inner, 192, 7, 1, 1, 3, 0)),
        chain(
            convolution(at, "branch7x7dbl_1", 768, inner, 1, 1, 1, 0, 0),
            convolution(at, "branch7x7dbl_2", inner, inner, 7, 1, 1, 3, 0),
            convolution(at, "branch7x7dbl_3", inner, inner, 1, 7, 1, 0, 3),
            convolution(at, "branch7x7dbl_4", inner, inner, 7, 1, 1, 3, 0),
            convolution(at, "branch7x7dbl_5", inner, 192, 1, 7, 1, 0, 3)),
        chain(InceptionBlocks::averaged, convolution(at, "branch_pool", 768, 192, 1, 1, 1, 0, 0)));
  }

  private static Block secondReduction(ParameterScope at) {
    return beside(
        chain(
            convolution(at, "branch3x3_1", 768, 192, 1, 1, 1, 0, 0),
            convolution(at, "branch3x3_2", 192, 320, 3, 3, 2, 0, 0)),
        chain(
            convolution(at, "branch7x7x3_1", 768, 192, 1, 1, 1, 0, 0),
            convolution(at, "branch7x7x3_2", 192, 192, 1, 7, 1, 0, 3),
            convolution(at, "branch7x7x3_3", 192, 192, 7, 1, 1, 3, 0),
            convolution(at, "branch7x7x3_4", 192, 192, 3, 3, 2, 0, 0)),
        InceptionBlocks::halved);
  }

  private static Block expanded(ParameterScope at, long in, Block pool) {
    return beside(
        convolution(at, "branch1x1", in, 320, 1, 1, 1, 0, 0),
        chain(
            convolution(at, "branch3x3_1", in, 384, 1, 1, 1, 0, 0),
            beside(
                convolution(at, "branch3x3_2a", 384, 384, 1, 3, 1, 0, 1),
                convolution(at, "branch3x3_2b", 384, 384, 3, 1, 1, 1, 0))),
        chain(
            convolution(at, "branch3x3dbl_1", in, 448, 1, 1, 1, 0, 0),
            convolution(at, "branch3x3dbl_2", 448, 384, 3, 3, 1, 1, 1),
            beside(
                convolution(at, "branch3x3dbl_3a", 384, 384, 1, 3, 1, 0, 1),
                convolution(at, "branch3x3dbl_3b", 384, 384, 3, 1, 1, 1, 0))),
        chain(pool, convolution(at, "branch_pool", in, 192, 1, 1, 1, 0, 0)));
  }

  private static Block chain(Block... blocks) {
    return input -> {
      Tensor hidden = input;
      for (Block block : blocks) {
        hidden = block.forward(hidden);
      }
      return hidden;
    };
  }

  /** Returns the blocks' outputs beside each other as channels. */
  private static Block beside(Block... blocks) {
    List<Block> all = new ArrayList<>(Arrays.asList(blocks));
    return input -> {
      TensorVector outputs = new TensorVector();
      all.forEach(block -> outputs.push_back(block.forward(input)));
      return torch.cat(outputs, 1);
    };
  }

  private static Tensor halved(Tensor input) {
    return torch.max_pool2d(input, THREE, TWO, NONE, ONE, false);
  }

  /** Means of 3x3 pixels, at the edges of those that are there. */
  private static Tensor averaged(Tensor input) {
    return torch.avg_pool2d(input, THREE, ONE, ONE, false, false, new LongOptional());
  }

  /** A convolution without bias, batch normalization by its running figures, and ReLU. */
  private static Block convolution(
      ParameterScope at,
      String name,
      long in,
      long out,
      long height,
      long width,
      long stride,
      long paddingHeight,
      long paddingWidth) {
    ParameterScope own = at.child(name);
    Parameter weight =
        own.child("conv")
            .declare("weight", Initializer.fanIn(in * height * width), out, in, height, width);
    ParameterScope norm = own.child("bn");
    Parameter scale = norm.declare("weight", Initializer.constant(1), out);
    Parameter shift = norm.declare("bias", Initializer.constant(0), out);
    Parameter mean = norm.declare("running_mean", Initializer.constant(0), out);
    Parameter variance = norm.declare("running_var", Initializer.constant(1), out);
    long[] strides = {stride, stride};
    long[] padding = {paddingHeight, paddingWidth};
    return input -> {
      Tensor convolved =
          torch.conv2d(input, weight.tensor(), new TensorOptional(), strides, padding, ONE, 1);
      Tensor normalized =
          torch.batch_norm(
              convolved,
              new TensorOptional(scale.tensor()),
              new TensorOptional(shift.tensor()),
              new TensorOptional(mean.tensor()),
              new TensorOptional(variance.tensor()),
              false,
              0,
              EPSILON,
              false);
      return normalized.relu();
    };
  }
}
