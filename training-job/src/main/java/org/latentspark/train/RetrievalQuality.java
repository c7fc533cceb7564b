package org.latentspark.train;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.latentspark.model.ClipModel;
import org.latentspark.model.ClipPixels;
import org.latentspark.model.ClipTokenizer;
import org.latentspark.tensor.StoppedException;
import org.latentspark.tensor.Tensors;

/** Measures how well captions find their own picture among all others. */
final class RetrievalQuality {
  private static final int BATCH = 64;

  private RetrievalQuality() {}

  /**
   * Text-to-image recall.
   *
   * @param pairs how many pictures a caption chooses from
   * @param recallAt1 share of captions whose picture comes first
   * @param recallAt10 share of captions whose picture is among the first ten
   * @param chanceAt10 what guessing gives
   */
  record Figures(int pairs, double recallAt1, double recallAt10, double chanceAt10) {}

  static Figures measure(ClipModel clip, ClipTokenizer tokenizer, Pictures.Loaded pictures) {
    int count = pictures.count();
    float[][] similarities = similarities(clip, tokenizer, pictures);
    int first = 0;
    int ten = 0;
    for (int caption = 0; caption < count; caption++) {
      int better = 0;
      for (int picture = 0; picture < count; picture++) {
        if (similarities[caption][picture] > similarities[caption][caption]) {
          better++;
        }
      }
      first += better < 1 ? 1 : 0;
      ten += better < 10 ? 1 : 0;
    }
    return new Figures(
        count, (double) first / count, (double) ten / count, Math.min(1, 10.0 / count));
  }

  /** Returns cosine similarities, captions by pictures. */
  private static float[][] similarities(
      ClipModel clip, ClipTokenizer tokenizer, Pictures.Loaded pictures) {
    List<float[]> images = new ArrayList<>();
    List<float[]> texts = new ArrayList<>();
    try (NoGradGuard guard = new NoGradGuard()) {
      for (int start = 0; start < pictures.count(); start += BATCH) {
        StoppedException.ifTold("the measurement");
        try (PointerScope scope = new PointerScope()) {
          int end = Math.min(pictures.count(), start + BATCH);
          TensorVector embeddings = new TensorVector();
          embeddings.push_back(
              clip.vision()
                  .embed(
                      ClipPixels.of(
                          pictures.batch(
                              torch.arange(new Scalar(start), new Scalar(end)).to(ScalarType.Long)),
                          pictures.pixels().size(2))));
          embeddings.push_back(
              clip.text().embed(tokenizer.tokenIds(pictures.captions().subList(start, end))));
          rows(embeddings.get(0), images);
          rows(embeddings.get(1), texts);
        }
      }
    }
    float[][] similarities = new float[texts.size()][images.size()];
    for (int text = 0; text < texts.size(); text++) {
      for (int image = 0; image < images.size(); image++) {
        float sum = 0;
        for (int index = 0; index < texts.get(text).length; index++) {
          sum += texts.get(text)[index] * images.get(image)[index];
        }
        similarities[text][image] = sum;
      }
    }
    return similarities;
  }

  private static void rows(org.bytedeco.pytorch.Tensor embeddings, List<float[]> rows) {
    int width = (int) embeddings.size(1);
    float[] values = Tensors.floats(embeddings);
    for (int row = 0; row < values.length / width; row++) {
      float[] unit = java.util.Arrays.copyOfRange(values, row * width, (row + 1) * width);
      double norm = 0;
      for (float value : unit) {
        norm += value * value;
      }
      for (int index = 0; index < width; index++) {
        unit[index] /= (float) Math.sqrt(norm);
      }
      rows.add(unit);
    }
  }
}
