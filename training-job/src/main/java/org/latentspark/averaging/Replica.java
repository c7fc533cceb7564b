package org.latentspark.averaging;

import java.util.Map;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.latentspark.graph.FlatViews;
import org.latentspark.graph.TorchGraphs;
import org.latentspark.model.TorchModel;
import org.latentspark.tensor.Precision;
import org.latentspark.tensor.Tensors;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/**
 * One worker's resident copy of the model with its inner optimizer: the local steps of local SGD.
 *
 * <p>Parameters and gradients are DL4J's flat vectors, shared with libtorch.
 */
final class Replica implements AutoCloseable {
  private final ComputationGraph graph;
  private final Tensor values;
  private final Tensor gradients;
  private final InnerOptimizer optimizer;
  private final LearningRate learningRate;
  private final double clipNorm;
  private final Precision precision;

  Replica(ComputationGraphConfiguration configuration, AveragingPlan plan) {
    graph = new ComputationGraph(configuration);
    long count = TorchGraphs.parameterCount(configuration);
    graph.init(Nd4j.createUninitialized(DataType.FLOAT, 1, count), false);
    graph.initGradientsView();
    try (PointerScope scope = new PointerScope()) {
      values = FlatViews.share(graph.params());
      gradients = FlatViews.share(graph.getFlattenedGradients());
      values.retainReference();
      gradients.retainReference();
    }
    optimizer = plan.optimizer().create(count);
    learningRate = plan.learningRate();
    clipNorm = plan.clipNorm();
    precision = plan.precision();
  }

  /** What a step gave: the batch's loss, the gradient's norm, and where the time went. */
  record Step(double loss, double gradientNorm, long lossNanos, long backwardNanos, long allNanos) {
    boolean isFinite() {
      return Double.isFinite(loss) && Double.isFinite(gradientNorm);
    }
  }

  /**
   * Makes a local step; one whose loss or gradient is not finite changes nothing.
   *
   * @param step the step, counted over the whole run
   * @param batch the objective's batch
   */
  Step step(Objective.Session session, long step, long batch) {
    long start = System.nanoTime();
    try (PointerScope scope = new PointerScope()) {
      gradients.zero_();
      Tensor loss;
      try (Precision.Region region = precision.enter(DeviceType.CPU)) {
        loss = session.loss(batch);
      }
      long forward = System.nanoTime();
      loss.backward();
      long backward = System.nanoTime();
      double mean = loss.item_double();
      double norm = Tensors.norm(gradients);
      if (Double.isFinite(mean) && Double.isFinite(norm)) {
        if (clipNorm > 0 && norm > clipNorm) {
          gradients.mul_(new Scalar(clipNorm / (norm + 1e-6)));
        }
        optimizer.step(values, gradients, learningRate.at(step), step);
      }
      return new Step(mean, norm, forward - start, backward - forward, System.nanoTime() - start);
    }
  }

  /** Returns the held-out loss with {@code parameters} in place of the replica's own. */
  Objective.Validation validate(Objective.Session session, Tensor parameters) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard();
        Precision.Region region = precision.enter(DeviceType.CPU)) {
      Tensor own = values.clone();
      values.copy_(parameters);
      try {
        return session.validate();
      } finally {
        values.copy_(own);
      }
    }
  }

  /** Returns the parameters [n]. */
  Tensor values() {
    return values;
  }

  /** Returns the inner optimizer's moments. */
  Map<String, Tensor> moments() {
    return optimizer.moments();
  }

  /** Returns the model that the parameters belong to. */
  TorchModel model() {
    return TorchGraphs.vertex(graph).model();
  }

  @Override
  public void close() {
    optimizer.close();
    values.releaseReference();
    gradients.releaseReference();
    // ND4J's memory would wait for a garbage collection that off-heap vectors never bring about.
    graph.close();
    // What tensors gave back stays with malloc in pieces: unasked, each segment would add some.
    Pointer.trimMemory();
  }
}
