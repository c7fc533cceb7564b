package org.latentspark.averaging;

import java.io.Serializable;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.latentspark.tensor.Parameter;
import org.latentspark.tensor.VectorMemory;

/** Turns a worker's gradients into its next parameters, as operations on the whole flat vector. */
public sealed interface InnerOptimizer extends AutoCloseable {
  /** The settings from which each worker makes its own optimizer. */
  sealed interface Settings extends Serializable {
    /**
     * Makes an optimizer with zeroed state for a vector [count] of the values of {@code
     * parameters}.
     */
    InnerOptimizer create(long count, Collection<Parameter> parameters, VectorMemory memory);

    /** Returns how many vectors of the parameters' length the optimizer keeps. */
    int moments();
  }

  /** Settings of {@link AdamW}. */
  record AdamWSettings(double beta1, double beta2, double epsilon, double weightDecay, Decay decay)
      implements Settings {
    @Override
    public InnerOptimizer create(
        long count, Collection<Parameter> parameters, VectorMemory memory) {
      return new AdamW(
          this, decay.spans(count, parameters), memory.zeros(count), memory.zeros(count));
    }

    @Override
    public int moments() {
      return 2;
    }
  }

  /** Settings of plain stochastic gradient descent. */
  record SgdSettings() implements Settings {
    @Override
    public InnerOptimizer create(
        long count, Collection<Parameter> parameters, VectorMemory memory) {
      return new Sgd();
    }

    @Override
    public int moments() {
      return 0;
    }
  }

  /**
   * Updates {@code values} [n] in place, and leaves zeros in {@code gradients} for the next step.
   *
   * @param step the number of this update, counted from 0 over the whole run
   * @return the sum of the new values, which is finite only if they all are
   */
  double step(Tensor values, Tensor gradients, double learningRate, long step);

  /** Returns the moments by their name in checkpoints; they share the optimizer's memory. */
  Map<String, Tensor> moments();

  @Override
  default void close() {
    moments().values().forEach(Tensor::releaseReference);
  }

  /** Plain stochastic gradient descent. */
  final class Sgd implements InnerOptimizer {
    @Override
    public double step(Tensor values, Tensor gradients, double learningRate, long step) {
      try (PointerScope scope = new PointerScope()) {
        values.add_(gradients, new Scalar(-learningRate));
        gradients.zero_();
        return values.sum().item_double();
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
    /** As much as stays in a processor's cache from one operation to the next. */
    private static final long CHUNK = 1L << 17;

    /** On a GPU an operation's start counts more, and what it keeps in between still is little. */
    private static final long GPU_CHUNK = 1L << 24;

    private final AdamWSettings settings;
    private final List<Decay.Span> decayed;
    private final Map<String, Tensor> moments = new LinkedHashMap<>();
    private final Tensor mean;
    private final Tensor square;

    AdamW(AdamWSettings settings, List<Decay.Span> decayed, Tensor mean, Tensor square) {
      this.settings = settings;
      this.decayed = decayed;
      this.mean = mean;
      this.square = square;
      moments.put("exp_avg", mean);
      moments.put("exp_avg_sq", square);
    }

    @Override
    public double step(Tensor values, Tensor gradients, double learningRate, long step) {
      long chunk = values.is_cuda() ? GPU_CHUNK : CHUNK;
      double sum = 0;
      int span = 0;
      for (long start = 0; start < values.numel(); start += chunk) {
        try (PointerScope scope = new PointerScope()) {
          long count = Math.min(chunk, values.numel() - start);
          span = decay(values, start, start + count, span, learningRate);
          Tensor updated = values.narrow(0, start, count);
          Tensor used = gradients.narrow(0, start, count);
          update(
              updated,
              used,
              mean.narrow(0, start, count),
              square.narrow(0, start, count),
              learningRate,
              step);
          used.zero_();
          sum += updated.sum().item_double();
        }
      }
      return sum;
    }

    /** Decays what decays of a chunk; returns the first span that the next one may meet. */
    private int decay(Tensor values, long start, long end, int first, double learningRate) {
      Scalar kept = new Scalar(1 - learningRate * settings.weightDecay());
      int span = first;
      while (span < decayed.size() && decayed.get(span).start() < end) {
        long from = Math.max(start, decayed.get(span).start());
        long to = Math.min(end, decayed.get(span).end());
        if (from < to) {
          values.narrow(0, from, to - from).mul_(kept);
        }
        if (decayed.get(span).end() > end) {
          break;
        }
        span++;
      }
      return span;
    }

    private void update(
        Tensor values,
        Tensor gradients,
        Tensor means,
        Tensor squares,
        double learningRate,
        long step) {
      double correction1 = 1 - Math.pow(settings.beta1(), step + 1);
      double correction2 = 1 - Math.pow(settings.beta2(), step + 1);
      means.lerp_(gradients, new Scalar(1 - settings.beta1()));
      squares
          .mul_(new Scalar(settings.beta2()))
          .addcmul_(gradients, gradients, new Scalar(1 - settings.beta2()));
      Tensor denominator =
          squares
              .sqrt()
              .div_(new Scalar(Math.sqrt(correction2)))
              .add_(new Scalar(settings.epsilon()));
      values.addcdiv_(means, denominator, new Scalar(-learningRate / correction1));
    }

    @Override
    public Map<String, Tensor> moments() {
      return moments;
    }
  }
}
