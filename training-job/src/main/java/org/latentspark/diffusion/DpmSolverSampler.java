package org.latentspark.diffusion;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Draws samples in 10 to 20 steps with a multistep solver of the diffusion ODE (Lu et al.,
 * "DPM-Solver", 2022, and "DPM-Solver++", 2022), by the conventions of diffusers' {@code
 * DPMSolverMultistepScheduler}.
 *
 * <p>With lambda = log(alpha / sigma) the solution from s to t is exact but for an integral of the
 * prediction m over lambda, which a Taylor polynomial through the last predictions approximates:
 *
 * <pre>
 * x_t = carry x_s + scale (phi1 D0 + phi2 D1 + phi3 D2) + spread noise
 * </pre>
 *
 * where D0 is m and D1, D2 its first and second difference per step. The three algorithms differ in
 * what m is, in carry, scale and spread, and in the length k of the integral.
 */
final class DpmSolverSampler implements Sampler {
  private static final int FEW_STEPS = 15;

  private final PredictionType predictionType;
  private final DpmSolverOptions options;
  private final NoiseLevels levels;

  DpmSolverSampler(NoiseSchedule schedule, int steps, DpmSolverOptions options) {
    this.predictionType = schedule.config().predictionType();
    this.options = options;
    this.levels = NoiseLevels.of(schedule, steps, options);
  }

  @Override
  public int[] timesteps() {
    return levels.timesteps().clone();
  }

  @Override
  public Tensor sample(Denoiser denoiser, NoiseSource noise, Tensor place) {
    try (Predictions past = new Predictions(options.order())) {
      return Trajectory.follow(
          levels.timesteps(),
          (index, noised, output, fresh) -> {
            past.add(converted(index, noised, output));
            return next(index, noised, past, fresh);
          },
          denoiser,
          noise,
          place);
    }
  }

  /** Returns m, the noise for DPM-Solver and the clean sample for DPM-Solver++. */
  private Tensor converted(int index, Tensor noised, Tensor output) {
    double signal = signalScale(index);
    double noise = noiseScale(index);
    return options.algorithm() == DpmSolverOptions.Algorithm.DPM_SOLVER
        ? predictionType.noise(noised, output, signal, noise)
        : predictionType.clean(noised, output, signal, noise);
  }

  private Tensor next(int index, Tensor noised, Predictions past, Supplier<Tensor> fresh) {
    double h = lambda(index + 1) - lambda(index);
    if (h == 0) {
      // Karras' levels may end where the last step is to go.
      return noised;
    }
    Tensor polynomial;
    switch (options.algorithm()) {
      case DPM_SOLVER:
        polynomial = polynomial(index, past, -h).mul(new Scalar(noiseScale(index + 1)));
        return noised.mul(new Scalar(signalScale(index + 1) / signalScale(index))).add(polynomial);
      case DPM_SOLVER_PLUS_PLUS:
        polynomial = polynomial(index, past, h).mul(new Scalar(signalScale(index + 1)));
        return noised.mul(new Scalar(noiseScale(index + 1) / noiseScale(index))).add(polynomial);
      case SDE_DPM_SOLVER_PLUS_PLUS:
        polynomial = polynomial(index, past, 2 * h).mul(new Scalar(signalScale(index + 1)));
        double carry = noiseScale(index + 1) / noiseScale(index) * Math.exp(-h);
        double spread = noiseScale(index + 1) * Math.sqrt(-Math.expm1(-2 * h));
        Tensor mean = noised.mul(new Scalar(carry)).add(polynomial);
        return spread == 0 ? mean : mean.add(fresh.get().mul(new Scalar(spread)));
    }
    throw new AssertionError(options.algorithm());
  }

  /** Returns phi1 D0 + phi2 D1 + phi3 D2, as far as the order of this step goes. */
  private Tensor polynomial(int index, Predictions past, double k) {
    Iterator<Tensor> newestFirst = past.iterator();
    Tensor m0 = newestFirst.next();
    double phi1 = -Math.expm1(-k);
    Tensor sum = m0.mul(new Scalar(phi1));
    int order = order(index);
    if (order == 1) {
      return sum;
    }
    double h = lambda(index + 1) - lambda(index);
    double r0 = (lambda(index) - lambda(index - 1)) / h;
    Tensor m1 = newestFirst.next();
    Tensor d10 = m0.sub(m1).div(new Scalar(r0));
    double phi2 = 1 - phi1 / k;
    if (order == 2) {
      double slope = options.solverType() == DpmSolverOptions.SolverType.MIDPOINT ? phi1 / 2 : phi2;
      return sum.add(d10.mul(new Scalar(slope)));
    }
    double phi3 = 0.5 - phi2 / k;
    double r1 = (lambda(index - 1) - lambda(index - 2)) / h;
    Tensor d11 = m1.sub(newestFirst.next()).div(new Scalar(r1));
    Tensor d2 = d10.sub(d11).div(new Scalar(r0 + r1));
    Tensor d1 = d10.add(d2.mul(new Scalar(r0)));
    return sum.add(d1.mul(new Scalar(phi2))).add(d2.mul(new Scalar(phi3)));
  }

  /** Returns the order of a step: less where few predictions are there yet, and at the end. */
  private int order(int index) {
    int steps = levels.timesteps().length;
    boolean fewSteps = options.lowerOrderFinal() && steps < FEW_STEPS;
    int order = Math.min(options.order(), index + 1);
    if (index == steps - 1
        && (fewSteps
            || options.eulerAtFinal()
            || options.finalSigma() == DpmSolverOptions.FinalSigma.ZERO)) {
      return 1;
    }
    return index == steps - 2 && fewSteps ? Math.min(order, 2) : order;
  }

  private double signalScale(int index) {
    double sigma = levels.sigmas()[index];
    return 1 / Math.sqrt(sigma * sigma + 1);
  }

  private double noiseScale(int index) {
    return levels.sigmas()[index] * signalScale(index);
  }

  private double lambda(int index) {
    return -Math.log(levels.sigmas()[index]);
  }

  /** The newest predictions of a trajectory, which outlive the steps that made them. */
  private static final class Predictions implements AutoCloseable, Iterable<Tensor> {
    private final int most;
    private final Deque<Tensor> newestFirst = new ArrayDeque<>();

    Predictions(int most) {
      this.most = most;
    }

    void add(Tensor prediction) {
      prediction.retainReference();
      newestFirst.addFirst(prediction);
      if (newestFirst.size() > most) {
        newestFirst.removeLast().releaseReference();
      }
    }

    @Override
    public Iterator<Tensor> iterator() {
      return newestFirst.iterator();
    }

    @Override
    public void close() {
      newestFirst.forEach(Tensor::releaseReference);
    }
  }
}
