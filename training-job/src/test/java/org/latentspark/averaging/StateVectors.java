package org.latentspark.averaging;

import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.latentspark.tensor.Seeds;
import org.latentspark.tensor.VectorMemory;

/** Makes the state of a run for the tests of other packages. */
public final class StateVectors {
  private StateVectors() {}

  /** Returns vectors [count] of zeros with AdamW's moments. */
  public static TrainingVectors zeros(long count) {
    Map<String, Tensor> moments = new LinkedHashMap<>();
    moments.put("exp_avg", torch.zeros(count));
    moments.put("exp_avg_sq", torch.zeros(count));
    TrainingVectors vectors =
        new TrainingVectors(torch.zeros(count), moments, VectorMemory.RESIDENT);
    return vectors;
  }

  /** Returns vectors [count] of normal draws with AdamW's moments. */
  public static TrainingVectors random(long count, long seed) {
    TrainingVectors vectors = zeros(count);
    fill(vectors.average(), seed, 1);
    fill(vectors.movingAverage(), seed, 2);
    fill(vectors.moments().get("exp_avg"), seed, 3);
    fill(vectors.moments().get("exp_avg_sq"), seed, 4);
    return vectors;
  }

  /** Returns the largest distance between values at the same place. */
  static float distance(float[] first, float[] second) {
    if (first.length != second.length) {
      throw new IllegalArgumentException(first.length + " values beside " + second.length);
    }
    float largest = 0;
    for (int place = 0; place < first.length; place++) {
      float distance = Math.abs(first[place] - second[place]);
      largest = Float.isNaN(distance) ? Float.POSITIVE_INFINITY : Math.max(largest, distance);
    }
    return largest;
  }

  private static void fill(Tensor vector, long seed, long stream) {
    vector.copy_(torch.randn(new long[] {vector.numel()}, Seeds.generator(seed, stream)));
  }
}
