package org.latentspark.averaging;

import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.rdd.RDD;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.TCPStore;
import org.deeplearning4j.core.loader.DataSetLoader;
import org.deeplearning4j.core.loader.MultiDataSetLoader;
import org.deeplearning4j.core.storage.StatsStorageRouter;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.deeplearning4j.spark.api.TrainingHook;
import org.deeplearning4j.spark.api.stats.SparkTrainingStats;
import org.deeplearning4j.spark.impl.graph.SparkComputationGraph;
import org.deeplearning4j.spark.impl.multilayer.SparkDl4jMultiLayer;
import org.deeplearning4j.spark.impl.paramavg.BaseTrainingMaster;
import org.latentspark.graph.FlatViews;
import org.latentspark.graph.TorchGraphs;
import org.latentspark.tensor.Natives;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractFunction1;

/**
 * Averages parameters among resident replicas by a collective inside a Spark barrier stage.
 *
 * <p>DL4J's own master sends every worker's full vector through the driver at each average. Here
 * the driver only hosts the rendezvous: each call of {@link SparkComputationGraph#fitPaths} runs
 * one segment of rounds, whose workers exchange directly and keep the state in a {@link
 * StateStore}. Settings live in {@link AveragingPlan}.
 */
public final class AveragingTrainingMaster
    extends BaseTrainingMaster<AveragingResult, AveragingTrainingWorker> {
  private final AveragingPlan plan;
  private final Objective objective;
  private final StateStore store;
  private final Consumer<RoundReport> reports;

  /**
   * Makes a master.
   *
   * @param reports hears each round's report on the driver, in order, while the segment runs
   */
  public AveragingTrainingMaster(
      AveragingPlan plan, Objective objective, StateStore store, Consumer<RoundReport> reports) {
    this.plan = plan;
    this.objective = objective;
    this.store = store;
    this.reports = reports;
  }

  /** Runs one segment on the shards at {@code paths}, then loads the average into the network. */
  @Override
  public void executeTrainingPaths(
      SparkDl4jMultiLayer network,
      SparkComputationGraph graph,
      JavaRDD<String> paths,
      DataSetLoader dataSetLoader,
      MultiDataSetLoader multiDataSetLoader) {
    if (graph == null) {
      throw new UnsupportedOperationException("Only a SparkComputationGraph can be trained");
    }
    JavaSparkContext spark = graph.getSparkContext();
    refuseUnfitCluster(spark);
    List<String> shards = new ArrayList<>(paths.collect());
    try (Rendezvous rendezvous = new Rendezvous(reports)) {
      Segment segment =
          new Segment(
              getWorkerInstance(graph),
              shards,
              spark.getConf().get("spark.driver.host", "127.0.0.1"),
              rendezvous.port());
      List<Integer> ranks = IntStream.range(0, plan.workers()).boxed().toList();
      RDD<Object> stage =
          spark
              .parallelize(ranks, plan.workers())
              .rdd()
              .barrier()
              .mapPartitions(segment, false, ClassTag$.MODULE$.Object());
      stage.collect();
    }
    loadAverage(graph);
  }

  private void loadAverage(SparkComputationGraph graph) {
    Natives.load();
    try (PointerScope scope = new PointerScope();
        TrainingVectors vectors =
            new TrainingVectors(FlatViews.share(graph.getNetwork().params()), java.util.Map.of())) {
      store.restore(TorchGraphs.vertex(graph.getNetwork()).model(), vectors);
    } catch (IOException e) {
      throw new UncheckedIOException("The segment's state cannot be read back", e);
    }
  }

  private static void refuseUnfitCluster(JavaSparkContext spark) {
    for (String key : List.of("spark.dynamicAllocation.enabled", "spark.speculation")) {
      if (spark.getConf().getBoolean(key, false)) {
        throw new IllegalArgumentException(
            key
                + "=true does not go with barrier stages, whose workers must start together and"
                + " stay: set it to false");
      }
    }
  }

  /** The function of the barrier stage's tasks; Scala's function type, so that Spark takes it. */
  private static final class Segment
      extends AbstractFunction1<
          scala.collection.Iterator<Integer>, scala.collection.Iterator<Object>>
      implements Serializable {
    private static final long serialVersionUID = 1;
    private final AveragingTrainingWorker worker;
    private final ArrayList<String> shards;
    private final String driverHost;
    private final int port;

    Segment(AveragingTrainingWorker worker, List<String> shards, String driverHost, int port) {
      this.worker = worker;
      this.shards = new ArrayList<>(shards);
      this.driverHost = driverHost;
      this.port = port;
    }

    @Override
    public scala.collection.Iterator<Object> apply(scala.collection.Iterator<Integer> ranks) {
      BarrierTaskContext context = BarrierTaskContext.get();
      int rank = context.partitionId();
      String attempt = "s" + context.stageId() + "a" + context.stageAttemptNumber();
      String address = context.getTaskInfos()[rank].address();
      Natives.load();
      TCPStore store = Rendezvous.connect(driverHost, port);
      try {
        AveragingResult result =
            new AveragingResult(
                worker
                    .at(shards)
                    .train(
                        store,
                        attempt,
                        address.substring(0, address.lastIndexOf(':')),
                        rank,
                        context.getTaskInfos().length));
        Iterator<Object> results = List.<Object>of(result).iterator();
        return scala.collection.JavaConverters.asScalaIterator(results);
      } catch (IOException e) {
        throw new UncheckedIOException("Worker " + rank + " cannot read or write its state", e);
      } finally {
        store.releaseReference();
      }
    }
  }

  @Override
  public AveragingTrainingWorker getWorkerInstance(SparkComputationGraph graph) {
    return new AveragingTrainingWorker(
        plan, objective, store, graph.getNetwork().getConfiguration().toJson());
  }

  @Override
  public AveragingTrainingWorker getWorkerInstance(SparkDl4jMultiLayer network) {
    throw new UnsupportedOperationException("Only a SparkComputationGraph can be trained");
  }

  @Override
  public void executeTraining(SparkDl4jMultiLayer network, JavaRDD<DataSet> data) {
    throw onlyPaths();
  }

  @Override
  public void executeTraining(SparkComputationGraph graph, JavaRDD<DataSet> data) {
    throw onlyPaths();
  }

  @Override
  public void executeTrainingMDS(SparkComputationGraph graph, JavaRDD<MultiDataSet> data) {
    throw onlyPaths();
  }

  private static UnsupportedOperationException onlyPaths() {
    return new UnsupportedOperationException(
        "Examples are read on the workers: call SparkComputationGraph.fitPaths with their paths");
  }

  @Override
  public String toJson() {
    return "{\"averagingTrainingMaster\":\"" + plan + "\"}";
  }

  @Override
  public String toYaml() {
    return "averagingTrainingMaster: \"" + plan + "\"";
  }

  @Override
  public void addHook(TrainingHook hook) {
    throw new UnsupportedOperationException("Hooks are not called: use the reports");
  }

  @Override
  public void removeHook(TrainingHook hook) {
    throw new UnsupportedOperationException("Hooks are not called: use the reports");
  }

  @Override
  public void setCollectTrainingStats(boolean collect) {
    // Reports hold the figures of every round in any case.
  }

  @Override
  public boolean getIsCollectTrainingStats() {
    return false;
  }

  @Override
  public SparkTrainingStats getTrainingStats() {
    return null;
  }

  @Override
  public void setListeners(Collection<TrainingListener> listeners) {
    setListeners(null, listeners);
  }

  @Override
  public void setListeners(StatsStorageRouter router, Collection<TrainingListener> listeners) {
    if (listeners != null && !listeners.isEmpty()) {
      throw new UnsupportedOperationException("Listeners are not called: use the reports");
    }
  }
}
