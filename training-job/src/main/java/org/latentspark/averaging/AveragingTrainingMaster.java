package org.latentspark.averaging;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaFutureAction;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.rdd.RDD;
import org.bytedeco.javacpp.PointerScope;
import org.deeplearning4j.core.loader.DataSetLoader;
import org.deeplearning4j.core.loader.MultiDataSetLoader;
import org.deeplearning4j.core.storage.StatsStorageRouter;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.deeplearning4j.spark.api.TrainingHook;
import org.deeplearning4j.spark.api.stats.SparkTrainingStats;
import org.deeplearning4j.spark.impl.graph.SparkComputationGraph;
import org.deeplearning4j.spark.impl.multilayer.SparkDl4jMultiLayer;
import org.deeplearning4j.spark.impl.paramavg.BaseTrainingMaster;
import org.latentspark.cli.UsageException;
import org.latentspark.exchange.Secret;
import org.latentspark.graph.FlatViews;
import org.latentspark.graph.TorchGraphs;
import org.latentspark.tensor.Natives;
import org.latentspark.tensor.Shutdown;
import org.latentspark.tensor.StoppedException;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import scala.reflect.ClassTag$;

/**
 * Averages parameters among resident replicas by a collective inside a Spark barrier stage.
 *
 * <p>DL4J's own master sends every worker's full vector through the driver at each average. Here
 * the driver only hosts the rendezvous: each call of {@link SparkComputationGraph#fitPaths} runs
 * one stage, whose workers exchange directly and keep the state after each segment of rounds in a
 * {@link StateStore}. It ends with the run, or early where task slots for more workers came.
 * Settings live in {@link AveragingPlan}.
 */
public final class AveragingTrainingMaster
    extends BaseTrainingMaster<AveragingResult, AveragingTrainingWorker> {
  private static final long POLL_MILLIS = 200;

  /** Even a short deadline leaves a fresh executor the time to unpack libtorch. */
  private static final Duration START = Duration.ofMinutes(2);

  private final AveragingPlan plan;
  private final Objective objective;
  private final StateStore store;
  private final RunListener listener;
  private ComputeDevice device = ComputeDevice.CPU;
  private String state;
  private int workers;

  /**
   * Makes a master.
   *
   * @param listener hears on the driver of each round and state
   */
  public AveragingTrainingMaster(
      AveragingPlan plan, Objective objective, StateStore store, RunListener listener) {
    this.plan = plan;
    this.objective = objective;
    this.store = store;
    this.listener = listener;
    this.workers = plan.workers();
  }

  /**
   * Says where the next stage starts and how many train it.
   *
   * @param from a state of the store; unset, the master asks for the newest
   * @param count workers, at most the plan's
   */
  public void prepare(String from, int count) {
    state = from;
    workers = count;
  }

  /** Says what the workers compute on; without it, on the CPU. */
  public void computeOn(ComputeDevice choice) {
    device = choice;
  }

  /** Returns the name of the state that the last stage left. */
  public String state() {
    return state;
  }

  /**
   * Trains on the shards at {@code paths}, then loads the average into the network.
   *
   * @throws SegmentFailedException when a segment was lost and may be rerun
   * @throws StoppedException when the JVM was told to end
   */
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
    refuseUnfitCluster(spark.getConf());
    Secret secret = Secret.draw(spark.getConf());
    try (Rendezvous rendezvous = new Rendezvous(workers, secret, plan.deadline(), listener)) {
      String from = state == null ? store.newest() : state;
      SegmentTask segment =
          new SegmentTask(
              getWorkerInstance(graph).at(from, paths.collect()),
              spark.getConf().get("spark.driver.host", "127.0.0.1"),
              rendezvous.port(),
              secret,
              plan.deadline(),
              device);
      List<Integer> ranks = IntStream.range(0, workers).boxed().toList();
      RDD<AveragingResult> stage =
          spark
              .parallelize(ranks, workers)
              .rdd()
              .barrier()
              .mapPartitions(segment, false, ClassTag$.MODULE$.apply(AveragingResult.class));
      state = await(stage.toJavaRDD().collectAsync(), rendezvous, new Slots(spark)).get(0).state();
    } catch (IOException e) {
      throw new UncheckedIOException("The run's states cannot be looked through", e);
    }
    loadAverage(graph);
  }

  /** Waits for the workers' results, passing on reports. */
  private List<AveragingResult> await(
      JavaFutureAction<List<AveragingResult>> stage, Rendezvous rendezvous, Slots slots) {
    Duration start = plan.deadline().compareTo(START) > 0 ? plan.deadline() : START;
    long startsBy = System.nanoTime() + start.toNanos();
    try {
      while (true) {
        try {
          List<AveragingResult> results = stage.get(POLL_MILLIS, TimeUnit.MILLISECONDS);
          rendezvous.deliver();
          return results;
        } catch (TimeoutException e) {
          rendezvous.deliver();
        }
        if (Shutdown.begun()) {
          throw new StoppedException("Told to stop: the segment is given up");
        }
        if (workers < plan.workers() && slots.count() > workers) {
          rendezvous.askToEnd();
        }
        // Spark would wait without end for the slot of an executor that left meanwhile.
        if (System.nanoTime() > startsBy && rendezvous.started() < workers) {
          throw new SegmentFailedException(
              rendezvous.started() + " of " + workers + " workers started within " + start, null);
        }
      }
    } catch (ExecutionException e) {
      throw WorkerFailure.exception(
          rendezvous.failures(), rendezvous.dumps(), reason(e.getCause()), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StoppedException("Interrupted: the segment is given up");
    } finally {
      stage.cancel(true);
    }
  }

  /** Finds the line of Spark's long message that tells which executor or worker failed. */
  private static String reason(Throwable failure) {
    List<String> lines = String.valueOf(failure.getMessage()).lines().toList();
    return lines.stream()
        .filter(line -> line.startsWith("ExecutorLostFailure"))
        .findFirst()
        .orElse(lines.get(lines.size() > 1 ? 1 : 0));
  }

  private void loadAverage(SparkComputationGraph graph) {
    Natives.load();
    try (PointerScope scope = new PointerScope();
        TrainingVectors vectors =
            new TrainingVectors(
                FlatViews.share(graph.getNetwork().params()), Map.of(), plan.vectors())) {
      store.restore(state, TorchGraphs.vertex(graph.getNetwork()).model(), vectors);
    } catch (IOException e) {
      throw new UncheckedIOException("The segment's state cannot be read back", e);
    }
  }

  /**
   * Refuses settings of Spark under which barrier stages cannot work.
   *
   * @throws UsageException with the setting and the reason
   */
  public static void refuseUnfitCluster(SparkConf conf) {
    refuse(conf, "spark.dynamicAllocation.enabled", "all workers must start together and stay");
    refuse(conf, "spark.speculation", "a second copy of a worker could never join the first ones");
  }

  private static void refuse(SparkConf conf, String key, String reason) {
    if (conf.getBoolean(key, false)) {
      throw new UsageException(
          key
              + "=true does not go with parameter averaging, since "
              + reason
              + ": set it to false");
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
