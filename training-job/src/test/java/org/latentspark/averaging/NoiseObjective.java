package org.latentspark.averaging;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.latentspark.model.TorchModel;
import org.latentspark.tensor.Seeds;
import org.latentspark.tensor.Tensors;
import org.latentspark.unet.UNet2DConditionModel;

/**
 * Denoises made-up latents; the global batch of a step is the same however many workers share it.
 */
record NoiseObjective(
    long seed, ArrayList<Integer> shares, int globalBatch, int channels, int size, int textWidth)
    implements Objective {
  private static final long serialVersionUID = 1;

  /** Makes an objective whose batch all workers share alike. */
  NoiseObjective(long seed, int globalBatch, int channels, int size, int textWidth) {
    this(seed, new ArrayList<>(), globalBatch, channels, size, textWidth);
  }

  /** Returns this objective with a batch of which each worker has a share of its own. */
  NoiseObjective shared(Integer... examples) {
    return new NoiseObjective(
        seed, new ArrayList<>(List.of(examples)), globalBatch, channels, size, textWidth);
  }

  @Override
  public Session open(TorchModel model, List<String> shards, int rank, int workers) {
    int batch = shares.isEmpty() ? globalBatch / workers : shares.get(rank);
    int before =
        shares.isEmpty()
            ? rank * batch
            : shares.subList(0, rank).stream().mapToInt(Integer::intValue).sum();
    return new Session() {
      @Override
      public int batchSize() {
        return batch;
      }

      @Override
      public Tensor loss(long step) {
        TensorVector noisy = new TensorVector();
        TensorVector noise = new TensorVector();
        TensorVector text = new TensorVector();
        long[] timesteps = new long[batch];
        for (int index = 0; index < batch; index++) {
          long example = step * globalBatch + before + index;
          Tensor target =
              torch.randn(new long[] {1, channels, size, size}, Seeds.generator(seed, 1, example));
          Tensor latent =
              torch.randn(
                  new long[] {1, channels, size, size}, Seeds.generator(seed, 2, example % 8));
          noisy.push_back(latent.add(target));
          noise.push_back(target);
          text.push_back(
              torch.randn(new long[] {1, 5, textWidth}, Seeds.generator(seed, 3, example % 8)));
          timesteps[index] = example * 37 % 1000;
        }
        Tensor predicted =
            ((UNet2DConditionModel) model)
                .forward(torch.cat(noisy), Tensors.of(timesteps, batch), torch.cat(text), null);
        return torch.mse_loss(predicted, torch.cat(noise));
      }

      @Override
      public Validation validate() {
        return batch == 0
            ? new Validation(0, 0)
            : new Validation(loss(1_000_000).item_double() * batch, batch);
      }

      @Override
      public void close() {}
    };
  }
}
