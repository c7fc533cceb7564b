package org.latentspark.sample;

import java.io.IOException;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.latentspark.cli.InputException;
import org.latentspark.diffusion.GuidedDenoiser;
import org.latentspark.model.ClipTextModel;
import org.latentspark.model.ClipTokenizer;
import org.latentspark.model.ModelDirectory;

/**
 * Turns prompts into what a U-Net takes: CLIP's last hidden states, and those at the end token.
 *
 * @param tokenizer the tokenizer that the text model was trained with
 * @param model the text model
 */
public record TextEncoder(ClipTokenizer tokenizer, ClipTextModel model) {
  /** Loads {@code tokenizer/} and {@code text_encoder/} of a directory in diffusers' layout. */
  public static TextEncoder load(Path encoders, Configuration configuration) throws IOException {
    return new TextEncoder(
        ClipTokenizer.load(new Path(encoders, "tokenizer"), configuration),
        ClipTextModel.load(new ModelDirectory(new Path(encoders, "text_encoder"), configuration)));
  }

  /**
   * Encodes a batch of prompts.
   *
   * @param pooledWidth width of the pooled text that the U-Net takes; 0 for none
   * @throws InputException when the text model's width is another one
   */
  public GuidedDenoiser.Text encode(List<String> prompts, int pooledWidth) {
    try (NoGradGuard guard = new NoGradGuard()) {
      Tensor tokens = tokenizer.tokenIds(prompts);
      Tensor hiddenStates = model.hiddenStates(tokens);
      Tensor pooled = pooledWidth == 0 ? null : model.pooled(hiddenStates, tokens);
      if (pooled != null && pooled.size(1) != pooledWidth) {
        throw new InputException(
            "The text encoder's hidden states have width %d, and the U-Net takes a pooled text of %d"
                .formatted(pooled.size(1), pooledWidth));
      }
      return new GuidedDenoiser.Text(hiddenStates, pooled);
    }
  }
}
