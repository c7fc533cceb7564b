package org.latentspark.graph;

import org.bytedeco.pytorch.Tensor;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.latentspark.model.TorchModel;
import org.latentspark.tensor.VectorMemory;

/**
 * A DL4J graph without gradients whose parameter vector lies where {@link VectorMemory} puts it: in
 * a mapped file it need not be in memory at all.
 */
public final class FlatNetwork implements AutoCloseable {
  private final Tensor values;
  private final ComputationGraph graph;

  /**
   * Makes the graph of a configuration from {@link TorchGraphs}; its values are 0 until something
   * is loaded into it.
   *
   * @throws java.io.UncheckedIOException when the memory's folder has no room
   */
  public FlatNetwork(ComputationGraphConfiguration configuration, VectorMemory memory) {
    values = memory.zeros(TorchGraphs.parameterCount(configuration));
    graph = new ComputationGraph(configuration);
    graph.init(FlatViews.share(values), false);
  }

  /** Returns the graph, which must not be used after {@link #close}. */
  public ComputationGraph graph() {
    return graph;
  }

  /** Returns the model, whose parameters are views of the graph's. */
  public TorchModel model() {
    return TorchGraphs.vertex(graph).model();
  }

  @Override
  public void close() {
    // The model's views hold the memory, too, and would until a garbage collection.
    model().parameters().unbind();
    values.releaseReference();
  }
}
