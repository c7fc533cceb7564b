package org.latentspark.diffusion;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;

/**
 * Draws samples in few steps (Song et al., "Denoising diffusion implicit models", 2021), by the
 * conventions of diffusers' {@code DDIMScheduler}.
 */
public final class DdimSampler {
  private final NoiseSchedule schedule;
  private final int steps;
  private final double eta;

  /**
   * Prepares a sampler.
   *
   * @param steps how many of the trained steps are visited
   * @param eta share of fresh noise: 0 is deterministic, 1 is as random as DDPM
   */
  public DdimSampler(NoiseSchedule schedule, int steps, double eta) {
    if (steps < 1 || steps > schedule.steps()) {
      throw new IllegalArgumentException(
          "steps = " + steps + ": must be from 1 to the " + schedule.steps() + " trained steps");
    }
    if (!(eta >= 0 && eta <= 1)) {
      throw new IllegalArgumentException("eta = " + eta + ": must be from 0 to 1");
    }
    this.schedule = schedule;
    this.steps = steps;
    this.eta = eta;
  }

  /** Returns the steps that are visited, noisiest first. */
  public int[] timesteps() {
    SchedulerConfig config = schedule.config();
    int[] timesteps =
        config.timestepSpacing().timesteps(schedule.steps(), steps, config.stepsOffset());
    if (timesteps[0] >= schedule.steps()) {
      throw new IllegalArgumentException(
          "steps_offset = %d: step %d is beyond the %d trained steps"
              .formatted(config.stepsOffset(), timesteps[0], schedule.steps()));
    }
    return timesteps;
  }

  /**
   * Draws a batch from noise.
   *
   * @param noise its first draw is the start; later ones are used when eta is above 0
   * @param place a tensor on the device and of the type to draw with
   * @return the samples [B, C, h, w]
   */
  public Tensor sample(Denoiser denoiser, SeededNoise noise, Tensor place) {
    Tensor current = noise.draw(0).to(place.device(), place.scalar_type());
    int[] timesteps = timesteps();
    for (int index = 0; index < timesteps.length; index++) {
      try (PointerScope scope = new PointerScope();
          NoGradGuard guard = new NoGradGuard()) {
        int t = timesteps[index];
        Tensor output = denoiser.predict(current, t);
        Tensor fresh =
            eta == 0 ? null : noise.draw(index + 1).to(place.device(), place.scalar_type());
        current.copy_(step(output, t, current, fresh));
      }
    }
    return current;
  }

  /**
   * Goes from step {@code t} to the next one visited.
   *
   * @param output the network's prediction for {@code noised}
   * @param fresh standard normal noise; may be null where eta is 0
   */
  public Tensor step(Tensor output, int t, Tensor noised, Tensor fresh) {
    SchedulerConfig config = schedule.config();
    int next = t - schedule.steps() / steps;
    double alphaBar = schedule.alphaBar(t);
    double last = config.setAlphaToOne() ? 1 : schedule.alphaBar(0);
    double nextAlphaBar = next >= 0 ? schedule.alphaBar(next) : last;
    double signalScale = Math.sqrt(alphaBar);
    double noiseScale = Math.sqrt(1 - alphaBar);
    Tensor clean = config.predictionType().clean(noised, output, signalScale, noiseScale);
    Tensor noise = config.predictionType().noise(noised, output, signalScale, noiseScale);
    if (config.clipSampleRange() > 0) {
      clean =
          clean.clamp(
              new ScalarOptional(new Scalar(-config.clipSampleRange())),
              new ScalarOptional(new Scalar(config.clipSampleRange())));
    }
    double variance = (1 - nextAlphaBar) / (1 - alphaBar) * (1 - alphaBar / nextAlphaBar);
    double deviation = eta * Math.sqrt(variance);
    double direction = Math.sqrt(1 - nextAlphaBar - deviation * deviation);
    Tensor result =
        clean.mul(new Scalar(Math.sqrt(nextAlphaBar))).add(noise.mul(new Scalar(direction)));
    return deviation == 0 ? result : result.add(fresh.mul(new Scalar(deviation)));
  }
}
