package org.latentspark.graph;

import java.util.Collection;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;

/**
 * The mean squared error of a {@link TorchVertex}'s picture-shaped output.
 *
 * <p>DL4J's {@code ComputationGraph.numParams()} adds up layers and passes over vertices, and
 * {@code fit} silently does nothing for a graph of 0 parameters. This layer therefore answers with
 * the count of the vertex before it, which is the graph's true one.
 */
public final class TorchLossLayer extends CnnLossLayer {
  private static final long serialVersionUID = 1;

  /** The number of parameters of the graph's vertices. */
  public long vertexParameters;

  /** Makes an empty configuration for DL4J's JSON reader. */
  public TorchLossLayer() {
    setLossFn(new LossMSE());
    setActivationFn(new ActivationIdentity());
  }

  static TorchLossLayer over(long vertexParameters) {
    TorchLossLayer layer = new TorchLossLayer();
    layer.vertexParameters = vertexParameters;
    return layer;
  }

  @Override
  public Layer instantiate(
      NeuralNetConfiguration configuration,
      Collection<TrainingListener> listeners,
      int index,
      INDArray parametersView,
      boolean initializeParameters,
      DataType dataType) {
    CountingLoss layer = new CountingLoss(configuration, dataType, vertexParameters);
    layer.setListeners(listeners);
    layer.setIndex(index);
    layer.setParamTable(initializer().init(configuration, parametersView, initializeParameters));
    layer.setConf(configuration);
    return layer;
  }

  private static final class CountingLoss
      extends org.deeplearning4j.nn.layers.convolution.CnnLossLayer {
    private static final long serialVersionUID = 1;
    private final long vertexParameters;

    CountingLoss(NeuralNetConfiguration configuration, DataType dataType, long vertexParameters) {
      super(configuration, dataType);
      this.vertexParameters = vertexParameters;
    }

    @Override
    public long numParams(boolean backwards) {
      return vertexParameters;
    }
  }
}
