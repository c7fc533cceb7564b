package org.latentspark.averaging;

import java.io.Serializable;
import java.util.Map;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.latentspark.tensor.VectorMemory;

/**
 * Turns the mean of what the workers changed in a round into the next average, chunk by chunk of
 * the flat vector.
 */
public sealed interface OuterOptimizer extends AutoCloseable {
  /** The settings from which each worker makes its own outer optimizer; all come out alike. */
  sealed interface Settings extends Serializable {
    /** Makes an optimizer with zeroed state for {@code count} parameters. */
    OuterOptimizer create(long count, VectorMemory memory);

    /** Returns how many vectors of the parameters' length the optimizer keeps. */
    int vectors();
  }

  /** Settings of {@link Plain}. */
  record PlainSettings() implements Settings {
    @Override
    public OuterOptimizer create(long count, VectorMemory memory) {
      return new Plain();
    }

    @Override
    public int vectors() {
      return 0;
    }
  }

  /** Settings of {@link Nesterov}; DiLoCo's are a rate of 0.7 and a momentum of 0.9. */
  record NesterovSettings(double learningRate, double momentum) implements Settings {
    @Override
    public OuterOptimizer create(long count, VectorMemory memory) {
      return new Nesterov(this, memory.zeros(count));
    }

    @Override
    public int vectors() {
      return 1;
    }
  }

  /**
   * Updates a chunk of the average in place.
   *
   * @param average the chunk [k]
   * @param difference what the workers changed in it [k], a weighted mean; its values are lost
   * @param start where the chunk begins in the vector
   */
  void step(Tensor average, Tensor difference, long start);

  /** Returns the state by its name in checkpoints; it shares the optimizer's memory. */
  Map<String, Tensor> state();

  @Override
  default void close() {
    state().values().forEach(Tensor::releaseReference);
  }

  /** Parameter averaging: the mean difference is added as it is. */
  final class Plain implements OuterOptimizer {
    @Override
    public void step(Tensor average, Tensor difference, long start) {
      average.add_(difference);
    }

    @Override
    public Map<String, Tensor> state() {
      return Map.of();
    }
  }

  /**
   * Gradient descent with Nesterov's momentum, the negative mean difference its gradient (Douillard
   * et al., "DiLoCo: distributed low-communication training of language models", 2023), in the
   * order of operations of PyTorch's {@code torch.optim.SGD}.
   */
  final class Nesterov implements OuterOptimizer {
    private static final String NAME = "outer_momentum_buffer";
    private final NesterovSettings settings;
    private final Tensor momentum;

    Nesterov(NesterovSettings settings, Tensor momentum) {
      this.settings = settings;
      this.momentum = momentum;
    }

    @Override
    public void step(Tensor average, Tensor difference, long start) {
      Scalar decay = new Scalar(settings.momentum());
      Tensor gradient = difference.neg_();
      Tensor moving = momentum.narrow(0, start, gradient.numel());
      moving.mul_(decay).add_(gradient);
      gradient.add_(moving, decay);
      average.add_(gradient, new Scalar(-settings.learningRate()));
    }

    @Override
    public Map<String, Tensor> state() {
      return Map.of(NAME, momentum);
    }
  }
}
