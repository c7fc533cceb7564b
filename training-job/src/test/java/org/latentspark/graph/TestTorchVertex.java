package org.latentspark.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.model.TorchModel;
import org.latentspark.tensor.Natives;
import org.latentspark.tensor.Tensors;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;

class TestTorchVertex {
  private static final long SEED = 20261123;
  private static final MultiDataSet BATCH = TinyUNet.examples(4, SEED);

  @BeforeAll
  static void oneThread() {
    Natives.operationThreads(1);
  }

  @Test
  void outputIsTheModelsOwnForward() {
    float[] output = output(TinyUNet.graph(SEED));
    try (PointerScope scope = new PointerScope()) {
      TorchModel model = Architecture.UNET.build(TinyUNet.CONFIG);
      model.parameters().allocate();
      model.parameters().initialize(SEED);
      Tensor own = Architecture.UNET.forward(model, TinyUNet.tensors(BATCH.getFeatures()));
      assertThat(output).containsExactly(Tensors.floats(own));
    }
  }

  @Test
  void gradientIsLibtorchsOwn() {
    ComputationGraph graph = TinyUNet.graph(SEED);
    graph.initGradientsView();
    graph.setInputs(BATCH.getFeatures());
    graph.setLabels(BATCH.getLabels());
    graph.computeGradientAndScore();
    float[] gradient = TinyUNet.floats(graph.getFlattenedGradients());
    try (PointerScope scope = new PointerScope()) {
      TorchModel model = Architecture.UNET.build(TinyUNet.CONFIG);
      Tensor values = torch.empty(model.parameters().count());
      Tensor gradients = torch.zeros(model.parameters().count());
      model.parameters().bind(values, gradients);
      model.parameters().initialize(SEED);
      Tensor predicted = Architecture.UNET.forward(model, TinyUNet.tensors(BATCH.getFeatures()));
      Tensor noise = TinyUNet.tensors(BATCH.getLabels())[0];
      // DL4J's error of a picture: summed over pixels and examples, a mean over the channels.
      Tensor loss = predicted.sub(noise).square().sum().div(new Scalar(2));
      loss.backward();
      assertThat(graph.score())
          .as("score, a mean over examples")
          .isCloseTo(loss.item_double() / 4, within(1e-4));
      assertThat(relativeDistance(gradient, Tensors.floats(gradients)))
          .as("distance of the gradients")
          .isLessThan(1e-6);
    }
  }

  @Test
  void fitLowersTheScore() {
    ComputationGraph graph = TinyUNet.graph(SEED);
    double before = graph.score(BATCH, false);
    for (int step = 0; step < 40; step++) {
      graph.fit(BATCH);
    }
    assertThat(graph.score(BATCH, false)).as("score after 40 steps").isLessThan(0.7 * before);
  }

  @Test
  void jsonKeepsTheConfiguration() {
    ComputationGraph graph = TinyUNet.graph(SEED);
    ComputationGraphConfiguration configuration = graph.getConfiguration();
    ComputationGraphConfiguration read =
        ComputationGraphConfiguration.fromJson(configuration.toJson());
    assertThat(read).isEqualTo(configuration);
    assertThat(read.getVertices().get("model"))
        .isEqualTo(configuration.getVertices().get("model"))
        .hasSameHashCodeAs(configuration.getVertices().get("model"));
    ComputationGraph other = new ComputationGraph(read);
    other.init();
    assertThat(other.numParams()).isEqualTo(graph.numParams()).isGreaterThan(1000);
    assertThat(output(other)).containsExactly(output(graph));
    assertThat(output(TinyUNet.graph(SEED + 1)))
        .as("output of another seed")
        .isNotEqualTo(output(graph));
  }

  @Test
  void modelSerializerKeepsParametersAndMoments(@TempDir Path folder) throws Exception {
    ComputationGraph graph = TinyUNet.graph(SEED);
    graph.fit(BATCH);
    ModelSerializer.writeModel(graph, folder.resolve("graph.zip").toFile(), true);
    ComputationGraph read =
        ModelSerializer.restoreComputationGraph(folder.resolve("graph.zip").toFile(), true);
    assertThat(output(read)).as("output").containsExactly(output(graph));
    graph.fit(BATCH);
    read.fit(BATCH);
    assertThat(output(read)).as("output after another step").containsExactly(output(graph));
  }

  @Test
  void cloneTrainsOnItsOwn() {
    ComputationGraph graph = TinyUNet.graph(SEED);
    graph.fit(BATCH);
    float[] before = output(graph);
    ComputationGraph clone = graph.clone();
    // DL4J's clone forgets the count of steps, which Adam corrects its moments by.
    clone.getConfiguration().setIterationCount(graph.getConfiguration().getIterationCount());
    assertThat(output(clone)).as("output of the clone").containsExactly(before);
    clone.fit(BATCH);
    assertThat(output(graph)).as("output after training the clone").containsExactly(before);
    assertThat(output(clone)).isNotEqualTo(before);
    graph.fit(BATCH);
    assertThat(output(graph)).as("output after the same step").containsExactly(output(clone));
  }

  @Test
  void setParametersReachesTheModel() {
    ComputationGraph graph = TinyUNet.graph(SEED);
    ComputationGraph other = TinyUNet.graph(SEED + 1);
    graph.setParams(other.params());
    assertThat(output(graph)).containsExactly(output(other));
  }

  @Test
  void onlyDenseFloatVectorsAreShared() {
    assertThatThrownBy(() -> FlatViews.share(Nd4j.createFromArray(1.0, 2.0)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("Only a dense FLOAT vector");
  }

  private static float[] output(ComputationGraph graph) {
    return TinyUNet.floats(graph.outputSingle(BATCH.getFeatures()));
  }

  private static double relativeDistance(float[] actual, float[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    double difference = 0;
    double norm = 0;
    for (int index = 0; index < actual.length; index++) {
      difference += Math.pow(actual[index] - expected[index], 2);
      norm += Math.pow(expected[index], 2);
    }
    return Math.sqrt(difference / norm);
  }
}
