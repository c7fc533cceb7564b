package org.latentspark.model;

import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The activation of CLIP's feed-forward blocks, under the name that {@code hidden_act} gives it.
 */
public enum ClipActivation {
  /** {@code x * sigmoid(1.702 x)}: OpenAI's CLIP, Stable Diffusion 1.x. */
  QUICK_GELU("quick_gelu"),
  /** The exact GELU by the error function: OpenCLIP, Stable Diffusion 2.x. */
  GELU("gelu");

  private final String publishedName;

  ClipActivation(String publishedName) {
    this.publishedName = publishedName;
  }

  /** Returns the value of {@code hidden_act}. */
  public String publishedName() {
    return publishedName;
  }

  static List<String> publishedNames() {
    return Arrays.stream(values()).map(ClipActivation::publishedName).toList();
  }

  static ClipActivation named(String publishedName) {
    for (ClipActivation activation : values()) {
      if (activation.publishedName.equals(publishedName)) {
        return activation;
      }
    }
    throw new IllegalArgumentException("hidden_act " + publishedName + ": " + publishedNames());
  }

  Tensor apply(Tensor input) {
    return this == GELU
        ? torch.gelu(input)
        : input.mul(torch.sigmoid(input.mul(new Scalar(1.702))));
  }
}
