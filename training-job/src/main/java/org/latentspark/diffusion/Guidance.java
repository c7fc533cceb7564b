package org.latentspark.diffusion;

import java.io.Serializable;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Classifier-free guidance (Ho and Salimans, 2022): unconditional + scale (conditional -
 * unconditional), optionally brought back to the spread of the conditional prediction (section 3.4
 * of Lin et al., "Common diffusion noise schedules and sample steps are flawed", 2024).
 *
 * @param scale strength; 1 is none
 * @param rescale share of the prediction that is brought back, 0 to 1; 0 for none
 */
public record Guidance(double scale, double rescale) implements Serializable {
  /** Checks the ranges. */
  public Guidance {
    if (!Double.isFinite(scale)) {
      throw new IllegalArgumentException("guidance scale = " + scale + ": must be finite");
    }
    if (!(rescale >= 0 && rescale <= 1)) {
      throw new IllegalArgumentException("guidance rescale = " + rescale + ": must be from 0 to 1");
    }
  }

  /** Returns guidance that is not brought back. */
  public static Guidance of(double scale) {
    return new Guidance(scale, 0);
  }

  /** Returns whether the conditional prediction alone counts. */
  boolean isNone() {
    return scale == 1;
  }

  /** Returns the guided prediction of two predictions [B, C, h, w]. */
  Tensor combine(Tensor unconditional, Tensor conditional) {
    Tensor guided = unconditional.add(conditional.sub(unconditional).mul(new Scalar(scale)));
    if (rescale == 0) {
      return guided;
    }
    Tensor ratio = spread(conditional).div(spread(guided));
    return guided.mul(ratio.mul(new Scalar(rescale)).add(new Scalar(1 - rescale)));
  }

  /** Returns the standard deviation of each sample, [B, 1, 1, 1]. */
  private static Tensor spread(Tensor predictions) {
    return predictions.flatten(1, -1).std(new long[] {1}, true, true).view(-1, 1, 1, 1);
  }
}
