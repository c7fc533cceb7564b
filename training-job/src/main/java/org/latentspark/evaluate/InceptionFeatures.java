package org.latentspark.evaluate;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.latentspark.evaluate.InceptionBlocks.Block;
import org.latentspark.model.ModelDirectory;
import org.latentspark.model.WeightNames;
import org.latentspark.sample.PromptMatch;
import org.latentspark.tensor.ParameterScope;
import org.latentspark.tensor.ParameterTable;
import org.latentspark.tensor.Tensors;

/**
 * The features on which Fr\u00e9chet distances are published: the last average pool of Inception v3
 * (Szegedy et al., "Rethinking the Inception architecture", 2015) as the FID's authors use it.
 *
 * <p>The weights are those of pytorch-fid ({@code pt_inception-2015-12-05}), or of torchvision's
 * {@code inception_v3}, as safetensors under their published names; the pools are the FID's.
 */
final class InceptionFeatures {
  /** Columns of the features. */
  static final int WIDTH = 2048;

  private static final long[] SIZE = {299, 299};
  private static final WeightNames NAMES =
      WeightNames.EXACT.allowing(
          name ->
              name.startsWith("fc.")
                  || name.startsWith("AuxLogits.")
                  || name.endsWith(".num_batches_tracked"));

  private final ParameterTable parameters;
  private final List<Block> stem;
  private final List<Block> mixed;

  /** Declares the network; allocate its parameters before use. */
  InceptionFeatures() {
    ParameterScope root = ParameterScope.root();
    this.parameters = root.table();
    this.stem = InceptionBlocks.stem(root);
    this.mixed = InceptionBlocks.mixed(root);
  }

  /**
   * Loads {@code model.safetensors} of a directory into memory of its own on the CPU.
   *
   * @throws org.latentspark.cli.InputException when it is missing or of another network
   */
  static InceptionFeatures load(Path directory, Configuration configuration) throws IOException {
    InceptionFeatures features = new InceptionFeatures();
    features.parameters.allocate();
    new ModelDirectory(directory, configuration)
        .load(features.parameters, features.parameters.values(), NAMES);
    return features;
  }

  ParameterTable parameters() {
    return parameters;
  }

  /** Returns the features [B, 2048] of pictures of one size. */
  Tensor of(List<BufferedImage> pictures) {
    return of(PromptMatch.pixels(pictures));
  }

  /** Returns the features [B, 2048] of RGB [B, 3, H, W] in [-1, 1]. */
  Tensor of(Tensor rgb) {
    try (NoGradGuard guard = new NoGradGuard()) {
      return Tensors.scoped(
          () -> {
            Tensor hidden = torch.upsample_bilinear2d(rgb, SIZE, false);
            for (Block block : stem) {
              hidden = block.forward(hidden);
            }
            for (Block block : mixed) {
              hidden = block.forward(hidden);
            }
            return hidden.mean(new long[] {2, 3});
          });
    }
  }
}
