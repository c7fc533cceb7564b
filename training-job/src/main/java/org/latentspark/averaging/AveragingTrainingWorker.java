package org.latentspark.averaging;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.spark.api.TrainingHook;
import org.deeplearning4j.spark.api.TrainingWorker;
import org.deeplearning4j.spark.api.WorkerConfiguration;
import org.deeplearning4j.spark.api.stats.SparkTrainingStats;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.dataset.api.DataSet;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * The worker of DL4J's interface, from which comes what travels to the executors: the graph's
 * configuration with the plan, objective and store.
 *
 * <p>DL4J's worker interface hands over minibatches one by one; these workers read their own
 * examples and run whole segments, so the minibatch methods are not part of it.
 */
public final class AveragingTrainingWorker implements TrainingWorker<AveragingResult> {
  private static final long serialVersionUID = 1;
  private final AveragingPlan plan;
  private final Objective objective;
  private final StateStore store;
  private final String graphJson;

  AveragingTrainingWorker(
      AveragingPlan plan, Objective objective, StateStore store, String graphJson) {
    this.plan = plan;
    this.objective = objective;
    this.store = store;
    this.graphJson = graphJson;
  }

  /** Returns what trains a segment that starts from a state of the store. */
  AveragingWorker at(String state, List<String> shards) {
    return new AveragingWorker(plan, objective, store, state, new ArrayList<>(shards), graphJson);
  }

  @Override
  public ComputationGraph getInitialModelGraph() {
    ComputationGraph graph =
        new ComputationGraph(ComputationGraphConfiguration.fromJson(graphJson));
    graph.init();
    return graph;
  }

  @Override
  public MultiLayerNetwork getInitialModel() {
    throw new UnsupportedOperationException("Only a ComputationGraph can be trained");
  }

  @Override
  public AveragingResult processMinibatch(DataSet data, MultiLayerNetwork net, boolean last) {
    throw wholeSegments();
  }

  @Override
  public AveragingResult processMinibatch(DataSet data, ComputationGraph graph, boolean last) {
    throw wholeSegments();
  }

  @Override
  public AveragingResult processMinibatch(MultiDataSet data, ComputationGraph graph, boolean last) {
    throw wholeSegments();
  }

  @Override
  public Pair<AveragingResult, SparkTrainingStats> processMinibatchWithStats(
      DataSet data, MultiLayerNetwork net, boolean last) {
    throw wholeSegments();
  }

  @Override
  public Pair<AveragingResult, SparkTrainingStats> processMinibatchWithStats(
      DataSet data, ComputationGraph graph, boolean last) {
    throw wholeSegments();
  }

  @Override
  public Pair<AveragingResult, SparkTrainingStats> processMinibatchWithStats(
      MultiDataSet data, ComputationGraph graph, boolean last) {
    throw wholeSegments();
  }

  @Override
  public AveragingResult getFinalResult(MultiLayerNetwork net) {
    throw wholeSegments();
  }

  @Override
  public AveragingResult getFinalResult(ComputationGraph graph) {
    throw wholeSegments();
  }

  @Override
  public AveragingResult getFinalResultNoData() {
    throw wholeSegments();
  }

  @Override
  public Pair<AveragingResult, SparkTrainingStats> getFinalResultNoDataWithStats() {
    throw wholeSegments();
  }

  @Override
  public Pair<AveragingResult, SparkTrainingStats> getFinalResultWithStats(MultiLayerNetwork net) {
    throw wholeSegments();
  }

  @Override
  public Pair<AveragingResult, SparkTrainingStats> getFinalResultWithStats(ComputationGraph graph) {
    throw wholeSegments();
  }

  private static UnsupportedOperationException wholeSegments() {
    return new UnsupportedOperationException(
        "These workers train whole segments: use AveragingTrainingMaster");
  }

  @Override
  public WorkerConfiguration getDataConfiguration() {
    return null;
  }

  @Override
  public long getInstanceId() {
    return 0;
  }

  @Override
  public void addHook(TrainingHook hook) {
    throw new UnsupportedOperationException("Hooks are not called: use the reports");
  }

  @Override
  public void removeHook(TrainingHook hook) {
    throw new UnsupportedOperationException("Hooks are not called: use the reports");
  }
}
