package org.latentspark.graph;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.tensor.VectorMemory;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.learning.config.NoOp;

class TestFlatNetwork {
  private static final long SEED = 20261123;
  private static final ComputationGraphConfiguration CONFIGURATION =
      TorchGraphs.configuration(Architecture.UNET, TinyUNet.CONFIG, SEED, new NoOp());

  @TempDir private Path folder;

  @Test
  void valuesLieInAMappedFileUntilItIsClosed() throws Exception {
    try (FlatNetwork network =
        new FlatNetwork(CONFIGURATION, new VectorMemory(folder.toString()))) {
      assertThat(network.graph().params().length()).isEqualTo(network.model().parameters().count());
      assertThat(mapped()).as("mapped while open").isTrue();
    }
    assertThat(mapped()).as("mapped after close").isFalse();
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void isTheGraphThatDl4jWouldMake() {
    MultiDataSet batch = TinyUNet.examples(4, SEED);
    INDArray expected = TinyUNet.graph(SEED).output(batch.getFeatures())[0];
    try (FlatNetwork network =
        new FlatNetwork(CONFIGURATION, new VectorMemory(folder.toString()))) {
      network.model().parameters().initialize(SEED);
      assertThat(network.graph().params()).isEqualTo(TinyUNet.graph(SEED).params());
      assertThat(network.graph().output(batch.getFeatures())[0]).isEqualTo(expected);
    }
  }

  @Test
  void whatDl4jWritesTheModelSees() {
    try (FlatNetwork network = new FlatNetwork(CONFIGURATION, VectorMemory.RESIDENT)) {
      network.graph().params().assign(0.5);
      assertThat(network.model().parameters().values().mean().item_double()).isEqualTo(0.5);
    }
  }

  private boolean mapped() throws IOException {
    return Files.readString(Path.of("/proc/self/maps")).contains(folder.toRealPath().toString());
  }
}
