package org.latentspark.graph;

import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.api.TrainingConfig;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.memory.MemoryReport;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.regularization.Regularization;

/**
 * The DL4J configuration of a vertex whose forward and backward passes run in libtorch.
 *
 * <p>Fields are public and the constructor takes nothing because DL4J writes configurations as JSON
 * and reads them back on the workers. Settings made on DL4J's builder do not reach vertices, so the
 * updater that DL4J's own optimizers use is a field.
 */
public final class TorchVertexConfiguration extends GraphVertex implements TrainingConfig {
  private static final long serialVersionUID = 1;

  /** The name of the vertex in its graph. */
  public String name;

  /** Which model the vertex holds. */
  public Architecture architecture;

  /** The model's published config.json. */
  public String configJson;

  /** The seed of the starting values. */
  public long seed;

  /** The updater of DL4J's own optimizers; this project's training master does not use it. */
  public IUpdater updater;

  /** Makes an empty configuration for DL4J's JSON reader. */
  public TorchVertexConfiguration() {}

  TorchVertexConfiguration(
      String name, Architecture architecture, String configJson, long seed, IUpdater updater) {
    this.name = name;
    this.architecture = architecture;
    this.configJson = configJson;
    this.seed = seed;
    this.updater = updater;
  }

  @Override
  public TorchVertexConfiguration clone() {
    return new TorchVertexConfiguration(
        name, architecture, configJson, seed, updater == null ? null : updater.clone());
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TorchVertexConfiguration that
        && Objects.equals(name, that.name)
        && architecture == that.architecture
        && Objects.equals(configJson, that.configJson)
        && seed == that.seed
        && Objects.equals(updater, that.updater);
  }

  @Override
  public int hashCode() {
    return Objects.hash(name, architecture, configJson, seed, updater);
  }

  @Override
  public long numParams(boolean backprop) {
    return architecture.build(configJson).parameters().count();
  }

  @Override
  public int minVertexInputs() {
    return 1;
  }

  @Override
  public int maxVertexInputs() {
    return architecture.inputs(configJson).size();
  }

  @Override
  public TorchVertex instantiate(
      ComputationGraph graph,
      String vertexName,
      int index,
      INDArray parametersView,
      boolean initializeParameters,
      DataType dataType) {
    TorchVertex vertex = new TorchVertex(graph, this, index, parametersView, dataType);
    if (initializeParameters) {
      vertex.model().parameters().initialize(seed);
    }
    return vertex;
  }

  @Override
  public InputType getOutputType(int layerIndex, InputType... inputs) {
    return inputs[0];
  }

  @Override
  public MemoryReport getMemoryReport(InputType... inputs) {
    throw new UnsupportedOperationException("libtorch's memory is not in DL4J's memory reports");
  }

  @Override
  public String getLayerName() {
    return name;
  }

  @Override
  public List<Regularization> getRegularizationByParam(String parameter) {
    return List.of();
  }

  @Override
  public boolean isPretrainParam(String parameter) {
    return false;
  }

  @Override
  public IUpdater getUpdaterByParam(String parameter) {
    return updater;
  }

  @Override
  public GradientNormalization getGradientNormalization() {
    return GradientNormalization.None;
  }

  @Override
  public double getGradientNormalizationThreshold() {
    return 0;
  }

  @Override
  public void setDataType(DataType dataType) {
    if (dataType != DataType.FLOAT) {
      throw new IllegalArgumentException(
          "Vertex " + name + " holds its parameters in FLOAT, not " + dataType);
    }
  }
}
