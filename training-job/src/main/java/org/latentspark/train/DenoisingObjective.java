package org.latentspark.train;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.fs.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.latentspark.averaging.HadoopSettings;
import org.latentspark.averaging.Objective;
import org.latentspark.diffusion.LatentScale;
import org.latentspark.diffusion.NoiseSchedule;
import org.latentspark.diffusion.SchedulerConfig;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.Manifest;
import org.latentspark.latents.Split;
import org.latentspark.model.TorchModel;
import org.latentspark.tensor.Seeds;
import org.latentspark.tensor.Tensors;
import org.latentspark.unet.Activations;
import org.latentspark.unet.UNet2DConditionModel;

/**
 * The denoising objective of latent diffusion (Ho et al., "Denoising diffusion probabilistic
 * models", 2020; Rombach et al., 2022): the mean squared error of the prediction for a latent
 * noised to a time step drawn uniformly, given its caption, or now and then none. The held-out loss
 * leaves weights, offset and perturbation out, so that it means the same whatever they are.
 *
 * @param dataset directory of the encoded data set
 * @param version which version of it, whatever is appended meanwhile
 * @param schedulerJson the noise schedule, as in scheduler_config.json
 * @param noising what is done to noise and loss besides
 * @param captionDropout share of the examples that see the empty caption
 * @param limits memory for rows, and how many files may be damaged
 * @param activations what becomes of them until the backward pass
 */
record DenoisingObjective(
    String dataset,
    int version,
    String schedulerJson,
    NoiseKeys.Training noising,
    double captionDropout,
    int batchSize,
    long seed,
    LatentStream.Limits limits,
    Activations activations)
    implements Objective {
  private static final long serialVersionUID = 1;
  private static final long POSTERIOR = 1;
  private static final long TIMESTEP = 2;
  private static final long NOISE = 3;
  private static final long DROPOUT = 4;
  private static final long OFFSET = 6;
  private static final long PERTURBATION = 7;

  @Override
  public Session open(TorchModel model, List<String> shards, int rank, int workers)
      throws IOException {
    LatentDataset data = LatentDataset.open(new Path(dataset), version, HadoopSettings.here());
    LatentStream train = LatentStream.open(data, Split.TRAIN, rank, workers, seed, limits);
    UNet2DConditionModel unet = (UNet2DConditionModel) model;
    unet.activations(activations);
    return new Denoising(
        unet,
        data.manifest(),
        train,
        LatentRows.share(
            data,
            Split.VALIDATION,
            rank,
            workers,
            limits.heldOutRows(data.manifest(), workers),
            new DamageBudget(limits.damagedFiles())),
        rank);
  }

  /**
   * What a step needs beside the parameters, on the CPU, which no scope frees.
   *
   * @param noisy what the model sees [B, C, h, w]
   * @param target what it is to predict, the same shape
   */
  private record Examples(Tensor noisy, Tensor timesteps, Tensor text, Tensor ends, Tensor target) {
    /** Returns the tensors where a GPU reads them without the processor's help, if asked. */
    Examples at(boolean pinned) {
      return pinned
          ? new Examples(noisy.pin_memory(), timesteps, text.pin_memory(), ends, target)
          : this;
    }

    private List<Tensor> all() {
      return List.of(noisy, timesteps, text, ends, target);
    }

    /** Keeps the tensors beyond the calling thread's scope. */
    Examples kept() {
      all().forEach(Tensor::retainReference);
      return this;
    }

    void release() {
      all().forEach(Tensor::releaseReference);
    }

    /** Leaves the tensors to the calling thread's scope. */
    Examples inScope() {
      PointerScope scope = PointerScope.getInnerScope();
      all().forEach(scope::attach);
      release();
      return this;
    }
  }

  private final class Denoising implements Session {
    private final UNet2DConditionModel unet;
    private final LatentStream train;
    private final LatentRows heldOut;
    private final int rank;
    private final boolean onGpu;
    private final Prefetch<Examples> examples = new Prefetch<>(this::prepare, Examples::release);
    private final NoiseSchedule schedule;
    private final LatentScale scale;
    private final Tensor emptyText;
    private final Tensor emptyEnd;

    Denoising(
        UNet2DConditionModel unet,
        Manifest manifest,
        LatentStream train,
        LatentRows heldOut,
        int rank) {
      this.unet = unet;
      this.train = train;
      this.heldOut = heldOut;
      this.rank = rank;
      this.onGpu = !unet.parameters().values().is_cpu();
      this.schedule = new NoiseSchedule(SchedulerConfig.fromJson(schedulerJson));
      this.scale = LatentScale.normalizing(manifest.latent().mean(), manifest.latent().std());
      try (PointerScope scope = new PointerScope()) {
        emptyText =
            LatentRows.one(
                    manifest.text().emptyEmbedding(),
                    manifest.text().tokens(),
                    manifest.text().dim())
                .to(ScalarType.Float);
        emptyEnd = Tensors.of(new long[] {LatentRows.end(manifest.text().emptyTokenIds())}, 1);
        emptyText.retainReference();
        emptyEnd.retainReference();
      }
    }

    @Override
    public int batchSize() {
      return train.count() == 0 ? 0 : batchSize;
    }

    @Override
    public int damagedFiles() {
      return train.damagedFiles();
    }

    @Override
    public void await(long step) {
      examples.await(step);
    }

    @Override
    public Tensor loss(long step) {
      Examples drawn = examples.take(step).inScope();
      return weighted(
          HeldOutLoss.predict(unet, drawn.noisy(), drawn.timesteps(), drawn.text(), drawn.ends()),
          drawn.target(),
          drawn.timesteps());
    }

    /** Reads a batch and draws all that is random in a step. */
    private Examples prepare(long step) {
      try (PointerScope scope = new PointerScope();
          NoGradGuard guard = new NoGradGuard()) {
        LatentBatch batch = train.batch(step * batchSize, batchSize);
        // With buckets, what is left of one makes a smaller batch.
        long[] shape = Tensors.sizes(batch.mean());
        long count = shape[0];
        Tensor drawn = torch.randn(shape, Seeds.generator(seed, POSTERIOR, rank, step));
        Tensor clean = scale.normalize(batch.mean().add(batch.std().mul(drawn)));
        Tensor timesteps =
            torch.randint(
                schedule.steps(),
                new long[] {count},
                Seeds.generator(seed, TIMESTEP, rank, step),
                new org.bytedeco.pytorch.TensorOptions(ScalarType.Long));
        Tensor noise = noise(shape, step);
        Tensor dropped =
            torch
                .rand(new long[] {count}, Seeds.generator(seed, DROPOUT, rank, step))
                .lt(new Scalar(captionDropout));
        return new Examples(
                schedule.addNoise(clean, perturbed(noise, step), timesteps),
                timesteps,
                torch.where(dropped.view(count, 1, 1), emptyText, batch.text()),
                torch.where(dropped, emptyEnd, batch.ends()),
                schedule.target(clean, noise, timesteps))
            .at(onGpu)
            .kept();
      }
    }

    /** Draws the noise, with the offset a part of it that all places of a channel share. */
    private Tensor noise(long[] shape, long step) {
      Tensor noise = torch.randn(shape, Seeds.generator(seed, NOISE, rank, step));
      if (noising.offset() == 0) {
        return noise;
      }
      long[] channels = {shape[0], shape[1], 1, 1};
      Tensor shared = torch.randn(channels, Seeds.generator(seed, OFFSET, rank, step));
      return noise.add(shared.mul(new Scalar(noising.offset())));
    }

    /** Returns the noise of the input, which is not to be predicted in full (Ning et al., 2023). */
    private Tensor perturbed(Tensor noise, long step) {
      if (noising.inputPerturbation() == 0) {
        return noise;
      }
      Tensor more =
          torch.randn(Tensors.sizes(noise), Seeds.generator(seed, PERTURBATION, rank, step));
      return noise.add(more.mul(new Scalar(noising.inputPerturbation())));
    }

    private Tensor weighted(Tensor predicted, Tensor target, Tensor timesteps) {
      if (noising.minSnrGamma() == 0) {
        return torch.mse_loss(predicted, target);
      }
      Tensor errors = predicted.sub(target).square().flatten(1, -1).mean(1);
      return errors.mul(schedule.minSnrWeights(timesteps, noising.minSnrGamma())).mean();
    }

    @Override
    public List<String> keys(long step) {
      try (PointerScope scope = new PointerScope()) {
        return train.batch(step * batchSize, batchSize).keys();
      }
    }

    @Override
    public Validation validate() {
      double sum = 0;
      for (int row = 0; row < heldOut.count(); row++) {
        try (PointerScope scope = new PointerScope()) {
          sum += heldOutLoss(row);
        }
      }
      return new Validation(sum, heldOut.count());
    }

    private double heldOutLoss(int row) {
      LatentBatch pair = heldOut.batch(row);
      double[] losses =
          new HeldOutLoss(unet, schedule, scale, seed)
              .of(heldOut.keys().get(row), pair.mean(), pair.text(), pair.ends());
      return Arrays.stream(losses).sum() / losses.length;
    }

    @Override
    public void close() {
      examples.close();
      train.close();
      heldOut.close();
      emptyText.releaseReference();
      emptyEnd.releaseReference();
    }
  }
}
