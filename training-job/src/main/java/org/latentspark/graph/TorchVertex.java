package org.latentspark.graph;

import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.MaskState;
import org.deeplearning4j.nn.api.TrainingConfig;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.BaseGraphVertex;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.latentspark.model.TorchModel;
import org.latentspark.tensor.Tensors;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A DL4J vertex that computes in libtorch on the memory of DL4J's flat parameter vector.
 *
 * <p>DL4J sees one parameter, {@value #PARAMETER}, of the model's whole length; the published names
 * live in the model's own table.
 */
public final class TorchVertex extends BaseGraphVertex {
  private static final long serialVersionUID = 1;
  static final String PARAMETER = "flat";

  private final TorchVertexConfiguration configuration;
  private final transient TorchModel model;
  private final INDArray parameters;
  private INDArray gradients;
  private transient Tensor[] torchInputs;
  private transient Tensor output;

  TorchVertex(
      ComputationGraph graph,
      TorchVertexConfiguration configuration,
      int index,
      INDArray parameters,
      DataType dataType) {
    super(graph, configuration.name, index, null, null, dataType);
    this.configuration = configuration;
    this.parameters = parameters;
    this.model = configuration.architecture.build(configuration.configJson);
    try (PointerScope scope = new PointerScope()) {
      model.parameters().bind(FlatViews.share(parameters));
    }
  }

  /** Returns the model, whose parameters are views of DL4J's. */
  public TorchModel model() {
    return model;
  }

  @Override
  public INDArray doForward(boolean training, LayerWorkspaceMgr workspaces) {
    release();
    try (PointerScope scope = new PointerScope()) {
      Tensor result;
      if (training && gradients != null) {
        torchInputs = torchInputs();
        result = configuration.architecture.forward(model, torchInputs);
        output = result;
        output.retainReference();
      } else {
        try (NoGradGuard guard = new NoGradGuard()) {
          result = configuration.architecture.forward(model, torchInputs());
        }
      }
      INDArray activations =
          workspaces.createUninitialized(
              ArrayType.ACTIVATIONS, DataType.FLOAT, Tensors.sizes(result), 'c');
      FlatViews.copy(result, activations);
      return activations;
    }
  }

  @Override
  public Pair<Gradient, INDArray[]> doBackward(boolean tbptt, LayerWorkspaceMgr workspaces) {
    if (output == null) {
      throw new IllegalStateException("Backward of " + vertexName + " needs a training forward");
    }
    INDArray[] inputGradients = new INDArray[torchInputs.length];
    try (PointerScope scope = new PointerScope()) {
      FlatViews.share(gradients).zero_();
      output.backward(
          FlatViews.copyOf(epsilon),
          new org.bytedeco.pytorch.BoolOptional(),
          false,
          new org.bytedeco.pytorch.TensorArrayRefOptional());
      for (int index = 0; index < torchInputs.length; index++) {
        if (torchInputs[index].requires_grad()) {
          inputGradients[index] =
              workspaces.createUninitialized(
                  ArrayType.ACTIVATION_GRAD, DataType.FLOAT, inputs[index].shape(), 'c');
          FlatViews.copy(torchInputs[index].grad(), inputGradients[index]);
        }
      }
    } finally {
      release();
    }
    Gradient gradient = new DefaultGradient(gradients);
    gradient.setGradientFor(PARAMETER, gradients);
    return new Pair<>(gradient, inputGradients);
  }

  @Override
  public void setBackpropGradientsViewArray(INDArray view) {
    gradients = view;
    try (PointerScope scope = new PointerScope()) {
      model
          .parameters()
          .bind(FlatViews.share(parameters), view == null ? null : FlatViews.share(view));
    }
  }

  @Override
  public Map<String, INDArray> paramTable(boolean backpropOnly) {
    return Map.of(PARAMETER, parameters);
  }

  @Override
  public INDArray params() {
    return parameters;
  }

  @Override
  public long numParams() {
    return parameters.length();
  }

  @Override
  public INDArray getGradientsViewArray() {
    return gradients;
  }

  @Override
  public TrainingConfig getConfig() {
    return configuration;
  }

  @Override
  public void clear() {
    super.clear();
    release();
  }

  @Override
  public boolean hasLayer() {
    return false;
  }

  @Override
  public Layer getLayer() {
    return null;
  }

  @Override
  public Pair<INDArray, MaskState> feedForwardMaskArrays(
      INDArray[] masks, MaskState current, int minibatchSize) {
    return null;
  }

  @Override
  public String toString() {
    return "TorchVertex(" + vertexName + ", " + configuration.architecture + ")";
  }

  private Tensor[] torchInputs() {
    Tensor[] tensors = new Tensor[inputs.length];
    for (int index = 0; index < inputs.length; index++) {
      tensors[index] = FlatViews.copyOf(inputs[index]);
      boolean graphInput =
          graph.getVertices()[inputVertices[index].getVertexIndex()].isInputVertex();
      if (gradients != null && !graphInput) {
        tensors[index].set_requires_grad(true);
      }
      tensors[index].retainReference();
    }
    return tensors;
  }

  private void release() {
    if (output != null) {
      output.releaseReference();
      output = null;
    }
    if (torchInputs != null) {
      for (Tensor input : torchInputs) {
        input.releaseReference();
      }
      torchInputs = null;
    }
  }
}
