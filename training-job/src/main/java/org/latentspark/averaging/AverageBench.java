package org.latentspark.averaging;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.spark.api.RDDTrainingApproach;
import org.deeplearning4j.spark.api.TrainingMaster;
import org.deeplearning4j.spark.impl.graph.SparkComputationGraph;
import org.deeplearning4j.spark.impl.paramavg.ParameterAveragingTrainingMaster;
import org.latentspark.cli.Launcher;
import org.latentspark.cli.Peer;
import org.latentspark.cli.Settings;
import org.latentspark.cli.Verb;
import org.latentspark.graph.Architecture;
import org.latentspark.graph.TorchGraphs;
import org.latentspark.tensor.Natives;
import org.latentspark.tensor.Precision;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;

/**
 * The benchmark {@code average}: rounds of one local step and one average on two workers, beside
 * DL4J's own training master on the same cluster and graph, Adam's moments included on both sides;
 * then the share of a round of H steps that is not spent in them.
 */
public final class AverageBench implements Verb<AverageBench.Plan> {
  private static final double BUDGET = 0.033;
  private static final double EXCHANGE_BUDGET = 0.05;
  private static final int WORKERS = 2;
  private static final long SEED = 2026;
  private static final int TEXT_WIDTH = 192;

  /** The least latents that the U-Net's three halvings leave something of. */
  private static final int SMALL = 8;

  /** The channels of the U-Nets that are averaged: of 10 and of 54 million parameters. */
  private static final List<String> CHANNELS = List.of("[32, 64, 144, 144]", "[80, 160, 320, 320]");

  /** What is run. */
  record Plan(int peerRounds, int rounds, int frequency, int batchSize, int latents) {}

  /** Trains a number of rounds. */
  private interface Rounds {
    void fit(int rounds);
  }

  /** Runs the benchmark. */
  public static void main(String[] arguments) {
    Launcher.main(new AverageBench(), arguments);
  }

  @Override
  public String name() {
    return "bench average";
  }

  @Override
  public String summary() {
    return "Averages parameters among two workers beside DL4J's own training master.";
  }

  @Override
  public List<String> references() {
    return List.of(BenchBatch.FOLDER + "bench-average.conf");
  }

  @Override
  public Plan configure(Settings settings) {
    return new Plan(
        settings.integer("peer-rounds", 1, 1000),
        settings.integer("rounds", 1, 10_000),
        settings.integer("frequency", 1, 10_000),
        settings.integer("batch-size", 1, 1024),
        settings.integer("latents", SMALL, 128));
  }

  @Override
  public void run(Plan plan) {
    Natives.operationThreads(1);
    double[] ours = new double[CHANNELS.size()];
    double share;
    try (JavaSparkContext spark = cluster(new SparkConf())) {
      System.out.println("Cluster: " + spark.master());
      for (int size = 0; size < ours.length; size++) {
        ComputationGraphConfiguration graph = graph(CHANNELS.get(size));
        ours[size] =
            seconds(rounds -> fit(spark, graph, rounds, 1, 1, SMALL, r -> {}), plan.rounds());
      }
      share = exchangeShare(spark, graph(CHANNELS.get(1)), plan);
    }
    double worst = 0;
    // As DL4J's guide to Spark has it.
    SparkConf kryo =
        new SparkConf()
            .set("spark.serializer", "org.apache.spark.serializer.KryoSerializer")
            .set("spark.kryo.registrator", "org.nd4j.kryo.Nd4jRegistrator")
            .set("spark.kryoserializer.buffer.max", "2047m")
            .set("spark.driver.maxResultSize", "0");
    try (JavaSparkContext spark = cluster(kryo)) {
      for (int size = 0; size < ours.length; size++) {
        ComputationGraphConfiguration graph = graph(CHANNELS.get(size));
        double peer = seconds(rounds -> fitPeer(spark, graph, rounds), plan.peerRounds());
        worst = Math.max(worst, ours[size] / peer);
        System.out.printf(
            Locale.ROOT,
            "%,d parameters: LatentSpark %.3f s, DL4J's own master %.1f s a round, ratio %.4f%n",
            TorchGraphs.parameterCount(graph),
            ours[size],
            peer,
            ours[size] / peer);
      }
    }
    System.out.println(Peer.result("exchange", share, EXCHANGE_BUDGET));
    System.out.println(Peer.result("average", worst, BUDGET));
  }

  private static JavaSparkContext cluster(SparkConf conf) {
    return new JavaSparkContext(
        conf.setAppName("latentspark bench average").setIfMissing("spark.master", "local[2]"));
  }

  private static ComputationGraphConfiguration graph(String channels) {
    String config = BenchBatch.unet().replace("[80, 160, 320, 320]", channels);
    return TorchGraphs.configuration(Architecture.UNET, config, SEED, new Adam(1e-4));
  }

  /** Returns the seconds that each further round takes; what a first one takes is left out. */
  private static double seconds(Rounds side, int rounds) {
    side.fit(1);
    long start = System.nanoTime();
    side.fit(1);
    long one = System.nanoTime();
    side.fit(1 + rounds);
    long all = System.nanoTime();
    return (all - one - (one - start)) / 1e9 / rounds;
  }

  private static void fitPeer(
      JavaSparkContext spark, ComputationGraphConfiguration graph, int rounds) {
    MultiDataSet example =
        new MultiDataSet(
            new org.nd4j.linalg.api.ndarray.INDArray[] {
              Nd4j.rand(1, 4, SMALL, SMALL), Nd4j.zeros(1, 1), Nd4j.rand(1, 77, TEXT_WIDTH)
            },
            new org.nd4j.linalg.api.ndarray.INDArray[] {Nd4j.rand(1, 4, SMALL, SMALL)});
    TrainingMaster<?, ?> master =
        new ParameterAveragingTrainingMaster.Builder(WORKERS, 1)
            .batchSizePerWorker(1)
            .averagingFrequency(1)
            .workerPrefetchNumBatches(0)
            .saveUpdater(true)
            .rddTrainingApproach(RDDTrainingApproach.Direct)
            .rngSeed(SEED)
            .build();
    new SparkComputationGraph(spark, network(graph), master)
        .fitMultiDataSet(
            spark.parallelize(
                new ArrayList<>(Collections.nCopies(WORKERS * rounds, example)), WORKERS));
  }

  private static double exchangeShare(
      JavaSparkContext spark, ComputationGraphConfiguration graph, Plan plan) {
    List<RoundReport> reports = new ArrayList<>();
    fit(spark, graph, 2, plan.frequency(), plan.batchSize(), plan.latents(), reports::add);
    RoundReport last = reports.get(reports.size() - 1);
    double seconds =
        (double) plan.frequency() * plan.batchSize() * WORKERS / last.examplesPerSecond();
    System.out.printf(
        Locale.ROOT,
        "%,d parameters, H = %d: a round takes %.1f s, of which %.2f s are not local steps%n",
        TorchGraphs.parameterCount(graph),
        plan.frequency(),
        seconds,
        seconds * last.exchangeShare());
    return last.exchangeShare();
  }

  private static void fit(
      JavaSparkContext spark,
      ComputationGraphConfiguration graph,
      int rounds,
      int frequency,
      int batchSize,
      int latents,
      RunListener reports) {
    AveragingPlan plan =
        new AveragingPlan(
            WORKERS,
            frequency,
            rounds,
            rounds,
            LearningRate.constant(1e-4),
            new InnerOptimizer.AdamWSettings(0.9, 0.999, 1e-8, 0.01, Decay.ALL),
            1,
            0.999,
            Integer.MAX_VALUE,
            Precision.FP32,
            1,
            Duration.ofMinutes(5));
    Objective objective =
        (model, shards, rank, workers) ->
            BenchBatch.draw(batchSize, latents, TEXT_WIDTH, SEED).on(model);
    AveragingTrainingMaster master =
        new AveragingTrainingMaster(plan, objective, new FreshState(SEED), reports);
    new SparkComputationGraph(spark, network(graph), master)
        .fitPathsMultiDataSet(spark.parallelize(List.of("none"), 1));
  }

  private static ComputationGraph network(ComputationGraphConfiguration graph) {
    ComputationGraph network = new ComputationGraph(graph);
    network.init();
    return network;
  }
}
