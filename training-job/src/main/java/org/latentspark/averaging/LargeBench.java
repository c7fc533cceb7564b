package org.latentspark.averaging;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.spark.impl.graph.SparkComputationGraph;
import org.latentspark.cli.Launcher;
import org.latentspark.cli.Peer;
import org.latentspark.cli.Settings;
import org.latentspark.cli.Verb;
import org.latentspark.exchange.Wire;
import org.latentspark.graph.Architecture;
import org.latentspark.graph.FlatNetwork;
import org.latentspark.graph.TorchGraphs;
import org.latentspark.tensor.Natives;
import org.latentspark.tensor.Precision;
import org.latentspark.tensor.VectorMemory;
import org.latentspark.unet.Activations;
import org.latentspark.unet.UNet2DConditionModel;
import org.nd4j.linalg.learning.config.NoOp;

/**
 * The benchmark {@code large}: one round of Stable Diffusion 1.5's U-Net, 860 million parameters,
 * on two workers of one machine, by the trainer's own path: a step of AdamW with activations
 * recomputed, then the average. Its figure is the memory of all processes, of 24 GiB.
 */
public final class LargeBench implements Verb<LargeBench.Plan> {
  private static final double GIBIBYTES = 24;
  private static final int WORKERS = 2;
  private static final long SEED = 2026;
  private static final int TEXT_WIDTH = 768;

  /** What is run. */
  record Plan(String channels, int batchSize, int latents, String vectorFolder) {}

  /** Runs the benchmark. */
  public static void main(String[] arguments) {
    Launcher.main(new LargeBench(), arguments);
  }

  @Override
  public String name() {
    return "bench large";
  }

  @Override
  public String summary() {
    return "Makes one round of 860 million parameters on two workers within 24 GiB.";
  }

  @Override
  public List<String> references() {
    return List.of(BenchBatch.FOLDER + "bench-large.conf");
  }

  @Override
  public Plan configure(Settings settings) {
    return new Plan(
        settings.strings("channels").toString(),
        settings.integer("batch-size", 1, 1024),
        settings.integer("latents", 8, 128),
        settings.string("vector-folder"));
  }

  @Override
  public void run(Plan plan) throws IOException {
    Natives.operationThreads(1);
    Path folder =
        plan.vectorFolder().isEmpty()
            ? Files.createTempDirectory("bench-large")
            : Path.of(plan.vectorFolder());
    String config =
        BenchBatch.unet()
            .replace("[80, 160, 320, 320]", plan.channels())
            .replace("\"cross_attention_dim\": 192", "\"cross_attention_dim\": " + TEXT_WIDTH)
            .replace("\"norm_num_groups\": 16", "\"norm_num_groups\": 32");
    ComputationGraphConfiguration graph =
        TorchGraphs.configuration(Architecture.UNET, config, SEED, new NoOp());
    SparkConf conf =
        new SparkConf()
            .setAppName("latentspark bench large")
            .setIfMissing("spark.master", "local[2]");
    long start = System.nanoTime();
    VectorMemory vectors = new VectorMemory(folder.toString());
    try (ProcessMemory memory = ProcessMemory.watch();
        JavaSparkContext spark = new JavaSparkContext(conf);
        FlatNetwork network = new FlatNetwork(graph, vectors)) {
      System.out.println("Cluster: " + spark.master());
      new SparkComputationGraph(spark, network.graph(), master(plan, vectors, start))
          .fitPathsMultiDataSet(spark.parallelize(List.of("none"), 1));
      System.out.printf(
          Locale.ROOT,
          "%,d parameters, %d workers: at most %.1f GiB in all processes together, and %.1f GiB of"
              + " mapped files that memory need not hold%n",
          network.graph().numParams(),
          WORKERS,
          memory.ownGibibytes(),
          memory.fileGibibytes());
      System.out.println(Peer.result("large", memory.ownGibibytes() / GIBIBYTES, 1));
    } finally {
      if (plan.vectorFolder().isEmpty()) {
        Files.delete(folder);
      }
    }
  }

  private static AveragingTrainingMaster master(Plan plan, VectorMemory vectors, long start) {
    AveragingPlan averaging =
        new AveragingPlan(
            WORKERS,
            1,
            1,
            1,
            LearningRate.constant(1e-4),
            new InnerOptimizer.AdamWSettings(0.9, 0.999, 1e-8, 0.01, Decay.ALL),
            1,
            0.999,
            1,
            Precision.FP32,
            1,
            Duration.ofMinutes(30),
            1,
            new OuterOptimizer.PlainSettings(),
            Wire.FP32,
            0,
            vectors);
    // What travels to the executors: numbers, not the plan.
    int batchSize = plan.batchSize();
    int latents = plan.latents();
    Objective objective =
        (model, shards, rank, workers) -> {
          ((UNet2DConditionModel) model).activations(Activations.RECOMPUTE);
          return BenchBatch.draw(batchSize, latents, TEXT_WIDTH, SEED).on(model);
        };
    return new AveragingTrainingMaster(
        averaging,
        objective,
        new FreshState(SEED),
        report ->
            System.out.printf(
                Locale.ROOT,
                "A round after %.0f s: loss %.3f, %.1f s a round, %.0f %% of it exchange%n",
                (System.nanoTime() - start) / 1e9,
                report.loss(),
                WORKERS * plan.batchSize() / report.examplesPerSecond(),
                100 * report.exchangeShare()));
  }
}
