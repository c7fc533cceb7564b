package org.latentspark.sample;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.latentspark.model.ClipHead;
import org.latentspark.model.ClipModel;
import org.latentspark.model.ClipPixels;
import org.latentspark.model.ClipVisionModel;
import org.latentspark.model.ModelDirectory;
import org.latentspark.tensor.FileSystems;
import org.latentspark.tensor.Tensors;

/**
 * Judges pictures by CLIP: which of all prompts is closest to each picture (Radford et al., 2021,
 * zero-shot classification with the prompts as classes).
 */
public final class PromptMatch {
  private final ClipVisionModel vision;
  private final TextEncoder text;

  private PromptMatch(ClipVisionModel vision, TextEncoder text) {
    this.vision = vision;
    this.text = text;
  }

  /** Loads the judge, where the encoders have an image encoder and a text projection. */
  public static Optional<PromptMatch> open(Path encoders, Configuration configuration)
      throws IOException {
    Path images = new Path(encoders, "image_encoder");
    if (!FileSystems.of(images, configuration).exists(images)) {
      return Optional.empty();
    }
    TextEncoder text = TextEncoder.load(encoders, configuration);
    if (text.model().config().head() != ClipHead.PROJECTION) {
      return Optional.empty();
    }
    return Optional.of(
        new PromptMatch(ClipVisionModel.load(new ModelDirectory(images, configuration)), text));
  }

  /** Returns for each picture the index of the prompt with the highest cosine similarity. */
  public int[] closest(List<BufferedImage> pictures, List<String> prompts) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      return ints(
          ClipModel.cosines(images(pictures), texts(prompts)), pictures.size(), prompts.size());
    }
  }

  /** Returns the projected embeddings [B, P], not normalized, of pictures of one size. */
  public Tensor images(List<BufferedImage> pictures) {
    try (NoGradGuard guard = new NoGradGuard()) {
      return vision.embed(ClipPixels.of(pixels(pictures), vision.config().imageSize()));
    }
  }

  /** Returns the projected embeddings [B, P], not normalized, of texts. */
  public Tensor texts(List<String> texts) {
    try (NoGradGuard guard = new NoGradGuard()) {
      return text.model().embed(text.tokenizer().tokenIds(texts));
    }
  }

  /** Returns pictures as fp32 [B, 3, H, W] in [-1, 1]. */
  public static Tensor pixels(List<BufferedImage> pictures) {
    int width = pictures.get(0).getWidth();
    int height = pictures.get(0).getHeight();
    int plane = width * height;
    float[] values = new float[pictures.size() * 3 * plane];
    for (int picture = 0; picture < pictures.size(); picture++) {
      int[] packed = pictures.get(picture).getRGB(0, 0, width, height, null, 0, width);
      for (int pixel = 0; pixel < plane; pixel++) {
        for (int channel = 0; channel < 3; channel++) {
          int level = packed[pixel] >> (16 - 8 * channel) & 0xff;
          values[(picture * 3 + channel) * plane + pixel] = level / 127.5f - 1;
        }
      }
    }
    return Tensors.of(values, pictures.size(), 3, height, width);
  }

  private static int[] ints(Tensor similarities, int rows, int columns) {
    float[] values = Tensors.floats(similarities);
    int[] best = new int[rows];
    for (int row = 0; row < rows; row++) {
      for (int column = 1; column < columns; column++) {
        if (values[row * columns + column] > values[row * columns + best[row]]) {
          best[row] = column;
        }
      }
    }
    return best;
  }
}
