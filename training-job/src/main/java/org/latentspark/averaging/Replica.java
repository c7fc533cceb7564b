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
import org.latentspark.exchange.Place;
import org.latentspark.graph.FlatViews;
import org.latentspark.graph.TorchGraphs;
import org.latentspark.model.TorchModel;
import org.latentspark.tensor.Precision;
import org.latentspark.tensor.Recomputation;
import org.latentspark.tensor.Tensors;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/**
 * One worker's resident copy of the model with its inner optimizer: the local steps of local SGD.
 *
 * <p>On the CPU, parameters and gradients are DL4J's flat vectors, shared with libtorch. On a GPU
 * they stay there for the whole run, and DL4J's graph only says what the model is.
 */
final class Replica implements AutoCloseable {
  private final ComputationGraph graph;
  private final Tensor values;
  private final Tensor gradients;
  private final InnerOptimizer optimizer;
  private final LearningRate learningRate;
  private final double clipNorm;
  private final int accumulate;
  private final Precision precision;
  private final DeviceType device;
  private boolean cleared;
  private double sum;

  /** Makes a replica on the CPU. */
  Replica(ComputationGraphConfiguration configuration, AveragingPlan plan) {
    this(configuration, plan, Place.CPU);
  }

  Replica(ComputationGraphConfiguration configuration, AveragingPlan plan, Place place) {
    graph = new ComputationGraph(configuration);
    long count = TorchGraphs.parameterCount(configuration);
    graph.init(Nd4j.createUninitialized(DataType.FLOAT, 1, count), false);
    graph.initGradientsView();
    device = place.type();
    try (PointerScope scope = new PointerScope()) {
      values = place.put(FlatViews.share(graph.params()));
      gradients = place.put(FlatViews.share(graph.getFlattenedGradients()));
      values.retainReference();
      gradients.retainReference();
    }
    if (device != DeviceType.CPU) {
      model().parameters().bind(values, gradients);
    }
    optimizer = plan.optimizer().create(count, model().parameters().parameters(), plan.vectors());
    learningRate = plan.learningRate();
    clipNorm = plan.clipNorm();
    accumulate = plan.accumulate();
    precision = plan.precision();
  }

  /** What a step gave: the batch's loss, the gradient's norm, and where the time went. */
  record Step(
      double loss,
      double gradientNorm,
      long dataNanos,
      long lossNanos,
      long backwardNanos,
      long allNanos) {
    boolean isFinite() {
      return Double.isFinite(loss) && Double.isFinite(gradientNorm);
    }
  }

  /**
   * Makes a local step; one whose loss or gradient is not finite changes nothing.
   *
   * @param step the step, counted over the whole run
   * @param group which group of as many batches as a step accumulates
   */
  Step step(Objective.Session session, long step, long group) {
    long start = System.nanoTime();
    try (PointerScope scope = new PointerScope()) {
      if (!cleared) {
        gradients.zero_();
      }
      cleared = false;
      double mean = 0;
      long dataNanos = 0;
      long lossNanos = 0;
      for (int batch = 0; batch < accumulate; batch++) {
        long asked = System.nanoTime();
        session.await(group * accumulate + batch);
        long before = System.nanoTime();
        dataNanos += before - asked;
        try (PointerScope ofBatch = new PointerScope();
            Recomputation blocks = Recomputation.begin(precision, device)) {
          Tensor loss = loss(session, group * accumulate + batch);
          lossNanos += System.nanoTime() - before;
          loss.backward();
          blocks.backward();
          mean += loss.item_double();
        }
      }
      long backward = System.nanoTime();
      double norm = Tensors.norm(gradients);
      if (Double.isFinite(mean) && Double.isFinite(norm)) {
        if (clipNorm > 0 && norm > clipNorm) {
          gradients.mul_(new Scalar(clipNorm / (norm + 1e-6)));
        }
        sum = optimizer.step(values, gradients, learningRate.at(step), step);
        cleared = true;
      }
      return new Step(
          mean,
          norm,
          dataNanos,
          lossNanos,
          backward - start - dataNanos - lossNanos,
          System.nanoTime() - start);
    }
  }

  /** Returns a batch's part of the step's loss, which is the mean over the batches. */
  private Tensor loss(Objective.Session session, long batch) {
    try (Precision.Region region = precision.enter(device)) {
      Tensor loss = session.loss(batch);
      return accumulate == 1 ? loss : loss.div(new Scalar(accumulate));
    }
  }

  /** Returns the held-out loss with {@code parameters} in place of the replica's own. */
  Objective.Validation validate(Objective.Session session, Tensor parameters) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard();
        Precision.Region region = precision.enter(device)) {
      model().parameters().bind(parameters);
      try {
        return session.validate();
      } finally {
        model().parameters().bind(values, gradients);
      }
    }
  }

  /** Tells whether the last step that changed the parameters left them finite. */
  boolean isFinite() {
    return Double.isFinite(sum);
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
    // The model's views would hold a GPU's vectors until a garbage collection.
    model().parameters().unbind();
    values.releaseReference();
    gradients.releaseReference();
    // ND4J's memory would wait for a garbage collection that off-heap vectors never bring about.
    graph.close();
    // What tensors gave back stays with malloc in pieces: unasked, each segment would add some.
    Pointer.trimMemory();
  }
}
