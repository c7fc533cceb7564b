package org.latentspark.model;

import java.util.Arrays;
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

  /** Returns the activation of that published name. */
  public static ClipActivation named(String publishedName) {
    for (ClipActivation activation : values()) {
      if (activation.publishedName.equals(publishedName)) {
        return activation;
      }
    }
    throw new IllegalArgumentException(
        "CLIP config.json: hidden_act must be one of "
            + Arrays.stream(values()).map(ClipActivation::publishedName).toList()
            + ", not "
            + publishedName);
  }

  Tensor apply(Tensor input) {
    return this == GELU
        ? torch.gelu(input)
        : input.mul(torch.sigmoid(input.mul(new Scalar(1.702))));
  }
}
