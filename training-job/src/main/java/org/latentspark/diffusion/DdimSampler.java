package org.latentspark.diffusion;

import java.util.function.Supplier;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Draws samples in few steps (Song et al., "Denoising diffusion implicit models", 2021), by the
 * conventions of diffusers' {@code DDIMScheduler}.
 */
public final class DdimSampler implements Sampler {
  /**
   * The options of the sampler.
   *
   * @param eta share of fresh noise: 0 is deterministic, 1 is as random as DDPM
   */
  public record Options(double eta) implements SamplerChoice {
    /** Checks the range. */
    public Options {
      if (!(eta >= 0 && eta <= 1)) {
        throw new IllegalArgumentException("eta = " + eta + ": must be from 0 to 1");
      }
    }

    @Override
    public Sampler over(NoiseSchedule schedule, int steps) {
      return new DdimSampler(schedule, steps, this);
    }
  }

  private final NoiseSchedule schedule;
  private final OneStep visited;
  private final int stride;
  private final double eta;

  private DdimSampler(NoiseSchedule schedule, int steps, Options options) {
    this.schedule = schedule;
    this.visited = new OneStep(schedule, steps);
    this.stride = schedule.steps() / steps;
    this.eta = options.eta();
  }

  @Override
  public int[] timesteps() {
    return visited.timesteps();
  }

  @Override
  public Tensor sample(Denoiser denoiser, NoiseSource noise, Tensor place) {
    return Trajectory.follow(timesteps(), this::next, denoiser, noise, place);
  }

  private Tensor next(int index, Tensor noised, Tensor output, Supplier<Tensor> fresh) {
    double alphaBar = visited.alphaBar(index);
    double nextAlphaBar = nextAlphaBar(index);
    Tensor clean = visited.clean(index, noised, output);
    Tensor noise =
        schedule
            .config()
            .predictionType()
            .noise(noised, output, Math.sqrt(alphaBar), Math.sqrt(1 - alphaBar));
    double variance = (1 - nextAlphaBar) / (1 - alphaBar) * (1 - alphaBar / nextAlphaBar);
    double deviation = eta * Math.sqrt(variance);
    // With eta 1 from pure noise the rest is 0, and rounding must not make it negative.
    double direction = Math.sqrt(Math.max(0, 1 - nextAlphaBar - deviation * deviation));
    Tensor result =
        clean.mul(new Scalar(Math.sqrt(nextAlphaBar))).add(noise.mul(new Scalar(direction)));
    return deviation == 0 ? result : result.add(fresh.get().mul(new Scalar(deviation)));
  }

  /** Returns alphabar one stride on, which with linspace is not that of the next visited step. */
  private double nextAlphaBar(int index) {
    int next = visited.timesteps()[index] - stride;
    if (next >= 0) {
      return schedule.alphaBar(next);
    }
    return schedule.config().setAlphaToOne() ? 1 : schedule.alphaBar(0);
  }
}
