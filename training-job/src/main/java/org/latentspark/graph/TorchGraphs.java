package org.latentspark.graph;

import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.linalg.learning.config.IUpdater;

/** Builds the DL4J graph of a model: its inputs, one {@link TorchVertex}, one loss layer. */
public final class TorchGraphs {
  private static final String VERTEX = "model";
  private static final String LOSS = "loss";

  private TorchGraphs() {}

  /** Returns the graph configuration of a model; {@code updater} serves DL4J's own optimizers. */
  public static ComputationGraphConfiguration configuration(
      Architecture architecture, String configJson, long seed, IUpdater updater) {
    String[] inputs = architecture.inputs(configJson).toArray(new String[0]);
    TorchVertexConfiguration vertex =
        new TorchVertexConfiguration(VERTEX, architecture, configJson, seed, updater);
    return new NeuralNetConfiguration.Builder()
        .seed(seed)
        .updater(updater)
        .graphBuilder()
        .addInputs(inputs)
        .addVertex(VERTEX, vertex, inputs)
        .addLayer(LOSS, TorchLossLayer.over(vertex.numParams(true)), VERTEX)
        .setOutputs(LOSS)
        .build();
  }

  /** Returns the length of the flat parameter vector of a graph made by {@link #configuration}. */
  public static long parameterCount(ComputationGraphConfiguration configuration) {
    return configuration.getVertices().get(VERTEX).numParams(true);
  }

  /** Returns the libtorch vertex of a graph made by {@link #configuration}. */
  public static TorchVertex vertex(ComputationGraph graph) {
    if (graph.getVertex(VERTEX) instanceof TorchVertex vertex) {
      return vertex;
    }
    throw new IllegalArgumentException(
        "The graph has no libtorch vertex named " + VERTEX + ": build it with TorchGraphs");
  }
}
