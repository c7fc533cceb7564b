package org.latentspark.diffusion;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.latentspark.tensor.Seeds;

/**
 * Standard normal noise for a batch in which every image has a seed of its own, so that a picture
 * does not depend on what it is drawn together with.
 */
public final class SeededNoise implements NoiseSource {
  private final long[] seeds;
  private final long[] shape;

  /**
   * Prepares noise for a batch.
   *
   * @param seeds one for each image
   * @param shape of one image, [C, h, w]
   */
  public SeededNoise(long[] seeds, long... shape) {
    this.seeds = seeds.clone();
    this.shape = shape.clone();
  }

  /** Returns the {@code index}-th draw, [B, C, h, w] in fp32 on the CPU. */
  @Override
  public Tensor draw(int index) {
    TensorVector images = new TensorVector();
    for (long seed : seeds) {
      images.push_back(torch.randn(shape, Seeds.generator(seed, index)));
    }
    return torch.stack(images);
  }
}
