package org.latentspark.averaging;

import java.io.Serializable;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Turns a worker's gradients into its next parameters, as operations on the whole flat vector. */
public sealed interface InnerOptimizer extends AutoCloseable {
  /** The settings from which each worker makes its own optimizer. */
  sealed interface Settings extends Serializable {
    /** Makes an optimizer with zeroed state for {@code count} parameters. */
    InnerOptimizer create(long count);

    /** Returns how many vectors of the parameters' length the optimizer keeps. */
    int moments();
  }

  /** Settings of {@link AdamW}. */
  record AdamWSettings(double beta1, double beta2, double epsilon, double weightDecay)
      implements Settings {
    @Override
    public InnerOptimizer create(long count) {
      return new AdamW(this, count);
    }

    @Override
    public int moments() {
      return 2;
    }
  }

  /** Settings of plain stochastic gradient descent. */
  record SgdSettings() implements Settings {
    @Override
    public InnerOptimizer create(long count) {
      return new Sgd();
    }

    @Override
    public int moments() {
      return 0;
    }
  }

  /**
   * Updates {@code values} [n] in place.
   *
   * @param step the number of this update, counted from 0 over the whole run
   */
  void step(Tensor values, Tensor gradients, double learningRate, long step);

  /** Returns the moments by their name in checkpoints; they share the optimizer's memory. */
  Map<String, Tensor> moments();

  @Override
  default void close() {
    moments().values().forEach(Tensor::releaseReference);
  }

  /** Plain stochastic gradient descent. */
  final class Sgd implements InnerOptimizer {
    @Override
    public void step(Tensor values, Tensor gradients, double learningRate, long step) {
      try (PointerScope scope = new PointerScope()) {
        values.add_(gradients, new Scalar(-learningRate));
      }
    }

    @Override
    public Map<String, Tensor> moments() {
      return Map.of();
    }
  }

  /**
   * Adam with decoupled weight decay (Loshchilov and Hutter, 2019), in the order of operations of
   * PyTorch's {@code torch.optim.AdamW}.
   */
  final class AdamW implements InnerOptimizer {
    private final AdamWSettings settings;
    private final Map<String, Tensor> moments = new LinkedHashMap<>();
    private final Tensor mean;
    private final Tensor square;

    AdamW(AdamWSettings settings, long count) {
      this.settings = settings;
      try (PointerScope scope = new PointerScope()) {
        mean = torch.zeros(count);
        square = torch.zeros(count);
        mean.retainReference();
        square.retainReference();
      }
      moments.put("exp_avg", mean);
      moments.put("exp_avg_sq", square);
    }

    @Override
    public void step(Tensor values, Tensor gradients, double learningRate, long step) {
      double correction1 = 1 - Math.pow(settings.beta1(), step + 1);
      double correction2 = 1 - Math.pow(settings.beta2(), step + 1);
      try (PointerScope scope = new PointerScope()) {
        values.mul_(new Scalar(1 - learningRate * settings.weightDecay()));
        mean.lerp_(gradients, new Scalar(1 - settings.beta1()));
        square
            .mul_(new Scalar(settings.beta2()))
            .addcmul_(gradients, gradients, new Scalar(1 - settings.beta2()));
        Tensor denominator =
            square
                .sqrt()
                .div_(new Scalar(Math.sqrt(correction2)))
                .add_(new Scalar(settings.epsilon()));
        values.addcdiv_(mean, denominator, new Scalar(-learningRate / correction1));
      }
    }

    @Override
    public Map<String, Tensor> moments() {
      return moments;
    }
  }
}
