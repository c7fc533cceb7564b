package org.latentspark.train;

import java.util.List;
import java.util.function.Function;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Some rows of an encoded data set, whose latents have one shape.
 *
 * @param mean of the posterior, fp32 [B, C, h, w]
 * @param std of the posterior, the same shape
 * @param text the captions' last hidden states, fp32 [B, T, D]
 * @param ends places of the captions' end tokens, int64 [B]
 * @param keys the rows' keys
 */
record LatentBatch(Tensor mean, Tensor std, Tensor text, Tensor ends, List<String> keys) {

  /** Returns the rows of all {@code parts}, one part after the other. */
  static LatentBatch joined(List<LatentBatch> parts) {
    if (parts.size() == 1) {
      return parts.get(0);
    }
    return new LatentBatch(
        cat(parts, LatentBatch::mean),
        cat(parts, LatentBatch::std),
        cat(parts, LatentBatch::text),
        cat(parts, LatentBatch::ends),
        parts.stream().flatMap(part -> part.keys().stream()).toList());
  }

  private static Tensor cat(List<LatentBatch> parts, Function<LatentBatch, Tensor> field) {
    return torch.cat(new TensorVector(parts.stream().map(field).toArray(Tensor[]::new)), 0);
  }
}
