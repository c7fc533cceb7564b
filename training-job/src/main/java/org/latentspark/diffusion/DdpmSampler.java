package org.latentspark.diffusion;

import java.util.function.Supplier;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Draws samples by ancestral sampling (Ho et al., "Denoising diffusion probabilistic models", 2020,
 * algorithm 2), through all trained steps or some of them, by the conventions of diffusers' {@code
 * DDPMScheduler}.
 */
public final class DdpmSampler implements Sampler {
  /** The variance of a reverse step, one of the two bounds of section 3.2 of the paper. */
  public enum Variance {
    /** That of q(x_{t-1} | x_t, x_0): right if the data were a single point. */
    FIXED_SMALL,
    /** Beta: right if the data were standard normal. */
    FIXED_LARGE
  }

  /** The options of the sampler. */
  public record Options(Variance variance) implements SamplerChoice {
    @Override
    public Sampler over(NoiseSchedule schedule, int steps) {
      return new DdpmSampler(schedule, steps, this);
    }
  }

  private final OneStep visited;
  private final int[] timesteps;
  private final Variance kind;

  DdpmSampler(NoiseSchedule schedule, int steps, Options options) {
    this.visited = new OneStep(schedule, steps);
    this.timesteps = visited.timesteps();
    this.kind = options.variance();
  }

  @Override
  public int[] timesteps() {
    return timesteps.clone();
  }

  @Override
  public Tensor sample(Denoiser denoiser, NoiseSource noise, Tensor place) {
    return Trajectory.follow(timesteps, this::next, denoiser, noise, place);
  }

  /** Returns the variance of the noise that a visited step adds. */
  double variance(int index) {
    if (timesteps[index] == 0) {
      return 0;
    }
    double small = (1 - nextAlphaBar(index)) / (1 - visited.alphaBar(index)) * beta(index);
    return kind == Variance.FIXED_SMALL ? small : beta(index);
  }

  private Tensor next(int index, Tensor noised, Tensor output, Supplier<Tensor> fresh) {
    double noiseShare = 1 - visited.alphaBar(index);
    double nextAlphaBar = nextAlphaBar(index);
    double beta = beta(index);
    double cleanFactor = Math.sqrt(nextAlphaBar) * beta / noiseShare;
    double noisedFactor = Math.sqrt(1 - beta) * (1 - nextAlphaBar) / noiseShare;
    Tensor mean =
        visited
            .clean(index, noised, output)
            .mul(new Scalar(cleanFactor))
            .add(noised.mul(new Scalar(noisedFactor)));
    double variance = variance(index);
    return variance == 0 ? mean : mean.add(fresh.get().mul(new Scalar(Math.sqrt(variance))));
  }

  /** Returns beta of the stretch from a visited step to the next one. */
  private double beta(int index) {
    return 1 - visited.alphaBar(index) / nextAlphaBar(index);
  }

  private double nextAlphaBar(int index) {
    return index + 1 < timesteps.length ? visited.alphaBar(index + 1) : 1;
  }
}
