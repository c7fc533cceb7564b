package org.latentspark.averaging;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.latentspark.model.TorchModel;
import org.latentspark.tensor.Seeds;
import org.latentspark.unet.UNet2DConditionModel;

/**
 * The batch that benchmarks train on again and again.
 *
 * @param noisy latents with noise [B, 4, h, w]
 * @param noise what is to be predicted, the same shape
 * @param timesteps int64 [B]
 * @param text [B, 77, width]
 */
record BenchBatch(Tensor noisy, Tensor noise, Tensor timesteps, Tensor text) {
  static final String FOLDER = "org/latentspark/averaging/";
  private static final int TOKENS = 77;

  /** Draws a batch of {@code size} examples; its tensors live as long as the caller's scope. */
  static BenchBatch draw(int size, int latents, int textWidth, long seed) {
    long[] shape = {size, 4, latents, latents};
    return new BenchBatch(
        torch.randn(shape, Seeds.generator(seed, 0)),
        torch.randn(shape, Seeds.generator(seed, 1)),
        torch
            .rand(new long[] {size}, Seeds.generator(seed, 2))
            .mul(new Scalar(1000))
            .to(ScalarType.Long),
        torch.randn(new long[] {size, TOKENS, textWidth}, Seeds.generator(seed, 3)));
  }

  /** Returns the config.json of a U-Net with Stable Diffusion 1.5's topology, a quarter as wide. */
  static String unet() {
    try (InputStream in =
        BenchBatch.class.getClassLoader().getResourceAsStream(FOLDER + "bench-unet.json")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException("bench-unet.json cannot be read", e);
    }
  }

  /** Returns this batch as what {@code model} is trained on; the session does not own it. */
  Objective.Session on(TorchModel model) {
    return new Objective.Session() {
      @Override
      public int batchSize() {
        return (int) noisy.size(0);
      }

      @Override
      public Tensor loss(long step) {
        Tensor predicted = ((UNet2DConditionModel) model).forward(noisy, timesteps, text, null);
        return torch.mse_loss(predicted.to(ScalarType.Float), noise);
      }

      @Override
      public Objective.Validation validate() {
        return new Objective.Validation(0, 0);
      }

      @Override
      public void close() {}
    };
  }
}
