package org.latentspark.graph;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.spark.api.RDDTrainingApproach;
import org.deeplearning4j.spark.impl.graph.SparkComputationGraph;
import org.deeplearning4j.spark.impl.paramavg.ParameterAveragingTrainingMaster;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.latentspark.tensor.Natives;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** DL4J's own parameter averaging on the graph whose vertex computes in libtorch. */
@Tag("slow")
class TestStockTrainingMaster {
  private static final long SEED = 20261123;
  private static final int BATCH = 4;

  @Test
  void lossFalls() {
    Natives.operationThreads(1);
    SparkConf conf =
        new SparkConf()
            .setMaster("local[2]")
            .setAppName("stock")
            .set("spark.ui.enabled", "false")
            .set("spark.serializer", "org.apache.spark.serializer.KryoSerializer")
            .set("spark.kryo.registrator", "org.nd4j.kryo.Nd4jRegistrator");
    try (JavaSparkContext spark = new JavaSparkContext(conf)) {
      List<MultiDataSet> batches = new ArrayList<>();
      for (int batch = 0; batch < 8; batch++) {
        batches.add(TinyUNet.examples(BATCH, SEED + batch));
      }
      MultiDataSet heldOut = TinyUNet.examples(16, SEED - 1);
      ComputationGraph network = TinyUNet.graph(SEED);
      double before = network.score(heldOut, false);
      SparkComputationGraph graph =
          new SparkComputationGraph(
              spark,
              network,
              new ParameterAveragingTrainingMaster.Builder(2, 1)
                  .batchSizePerWorker(BATCH)
                  .averagingFrequency(2)
                  .workerPrefetchNumBatches(0)
                  .rddTrainingApproach(RDDTrainingApproach.Direct)
                  .rngSeed(SEED)
                  .build());
      for (int epoch = 0; epoch < 8; epoch++) {
        graph.fitMultiDataSet(spark.parallelize(batches, 2));
      }
      assertThat(before).as("held-out score of the starting values").isGreaterThan(8);
      assertThat(graph.getNetwork().score(heldOut, false))
          .as("held-out score after 8 epochs of 2 averages, %s before", before)
          .isLessThan(0.6 * before);
    }
  }
}
