package org.latentspark.train;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.latentspark.cli.Settings;
import org.latentspark.tensor.Seeds;
import org.latentspark.tensor.Tensors;

/**
 * Varies pictures and captions so that a small set of pairs is not learned by heart.
 *
 * @param keywordDropout share of a caption's keywords that is left out
 * @param scale largest change of scale
 * @param shift largest shift, a share of the picture
 * @param brightness largest change of brightness
 */
record PictureAugmentation(double keywordDropout, double scale, double shift, double brightness)
    implements Serializable {
  private static final long PLACE = 11;
  private static final long LIGHT = 12;
  private static final long CAPTION = 13;

  static PictureAugmentation read(Settings settings) {
    return new PictureAugmentation(
        settings.number("augmentation.keyword-dropout", 0, 1),
        settings.number("augmentation.scale", 0, 0.9),
        settings.number("augmentation.shift", 0, 1),
        settings.number("augmentation.brightness", 0, 1));
  }

  /** Mirrors, scales, shifts and relights pictures [B, 3, H, W] in [-1, 1] on white ground. */
  Tensor pictures(Tensor pixels, long seed, int rank, long step) {
    int batch = (int) pixels.size(0);
    SplittableRandom random = new SplittableRandom(Seeds.derive(seed, PLACE, rank, step));
    float[] theta = new float[batch * 6];
    for (int index = 0; index < batch; index++) {
      double zoom = 1 + scale * (2 * random.nextDouble() - 1);
      theta[index * 6] = (float) (random.nextBoolean() ? zoom : -zoom);
      theta[index * 6 + 2] = (float) (2 * shift * (2 * random.nextDouble() - 1));
      theta[index * 6 + 4] = (float) zoom;
      theta[index * 6 + 5] = (float) (2 * shift * (2 * random.nextDouble() - 1));
    }
    Tensor grid =
        torch.affine_grid_generator(Tensors.of(theta, batch, 2, 3), Tensors.sizes(pixels), false);
    // Zeros outside stand for white once the pictures are measured from white.
    Tensor moved =
        torch.grid_sampler(pixels.sub(new Scalar(1.0)), grid, 0, 0, false).add(new Scalar(1.0));
    float[] light = new float[batch * 3];
    SplittableRandom lightRandom = new SplittableRandom(Seeds.derive(seed, LIGHT, rank, step));
    for (int index = 0; index < batch; index++) {
      double whole = brightness * (2 * lightRandom.nextDouble() - 1);
      for (int channel = 0; channel < 3; channel++) {
        double own = 0.4 * brightness * (2 * lightRandom.nextDouble() - 1);
        light[index * 3 + channel] = (float) (1 + whole + own);
      }
    }
    return moved
        .add(new Scalar(1.0))
        .mul(Tensors.of(light, batch, 3, 1, 1))
        .sub(new Scalar(1.0))
        .clamp(new ScalarOptional(new Scalar(-1.0)), new ScalarOptional(new Scalar(1.0)));
  }

  /** Keeps a caption's name, drops some of its keywords and shuffles the rest. */
  String caption(String caption, long seed, int rank, long step, int index) {
    String[] parts = caption.split(", ");
    List<String> kept = new ArrayList<>(Arrays.asList(parts).subList(1, parts.length));
    SplittableRandom random = new SplittableRandom(Seeds.derive(seed, CAPTION, rank, step, index));
    kept.removeIf(keyword -> random.nextDouble() < keywordDropout);
    for (int last = kept.size() - 1; last > 0; last--) {
      Collections.swap(kept, last, random.nextInt(last + 1));
    }
    kept.add(0, parts[0]);
    return String.join(", ", kept);
  }
}
