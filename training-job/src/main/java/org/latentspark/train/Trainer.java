package org.latentspark.train;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.spark.impl.graph.SparkComputationGraph;
import org.latentspark.averaging.AveragingTrainingMaster;
import org.latentspark.averaging.Objective;
import org.latentspark.averaging.RoundReport;
import org.latentspark.averaging.StateStore;
import org.latentspark.checkpoint.CheckpointStore;
import org.latentspark.checkpoint.Checkpoints;
import org.latentspark.cli.Progress;
import org.latentspark.cli.UsageException;
import org.latentspark.graph.Architecture;
import org.latentspark.graph.TorchGraphs;
import org.nd4j.linalg.learning.config.Adam;

/** Runs an objective to its last step: segment after segment, from checkpoint to checkpoint. */
final class Trainer {
  /** Hears of each new checkpoint, on the driver. */
  interface CheckpointListener {
    /** Called after a segment, with its checkpoint. */
    void reached(Path checkpoint, long step) throws IOException;
  }

  private final JavaSparkContext spark;
  private final RunSettings settings;
  private final Architecture architecture;

  Trainer(JavaSparkContext spark, RunSettings settings, Architecture architecture) {
    this.spark = spark;
    this.settings = settings;
    this.architecture = architecture;
  }

  /**
   * Trains from the newest checkpoint, or from the start, to the last step.
   *
   * @param shards what the objective reads
   * @param texts text files that each checkpoint carries, by path
   * @param state what each checkpoint's trainer_state.json records besides the progress
   * @return the last checkpoint
   */
  Path run(
      Objective objective,
      List<String> shards,
      TreeMap<String, String> texts,
      TreeMap<String, String> state,
      CheckpointListener listener)
      throws IOException {
    requireSlots();
    Configuration hadoop = spark.hadoopConfiguration();
    Checkpoints checkpoints = Checkpoints.of(new Path(settings.output()), hadoop);
    TreeMap<String, String> record = new TreeMap<>(state);
    record.put("config", settings.effective());
    CheckpointStore store =
        new CheckpointStore(
            settings.output(),
            architecture.directory(),
            settings.seed(),
            texts,
            record,
            settings.keep(),
            settings.milestoneSteps());
    Optional<Path> latest = checkpoints.latest();
    long rounds = latest.isEmpty() ? 0 : roundsDone(latest.get(), hadoop);
    long all = settings.plan().rounds();
    if (rounds > 0) {
      System.out.printf(
          "Going on from %s, %d of %d averages done%n", latest.get().getName(), rounds, all);
    }
    MetricsLog metrics = new MetricsLog(new Path(settings.output()), hadoop, rounds);
    ComputationGraph network =
        new ComputationGraph(
            TorchGraphs.configuration(
                architecture,
                settings.modelJson(),
                settings.seed(),
                new Adam(settings.plan().learningRate().peak())));
    network.init();
    if (latest.isPresent()) {
      CheckpointStore.requireSameModel(
          latest.get(), hadoop, TorchGraphs.vertex(network).model(), architecture.directory());
    }
    System.out.printf(
        Locale.ROOT,
        "Training %s of %,d parameters with %d workers, %s%n",
        architecture.directory(),
        network.numParams(),
        settings.plan().workers(),
        settings.plan().precision());
    try (Progress progress = Progress.start("train", "steps", all * settings.plan().frequency())) {
      SparkComputationGraph graph =
          new SparkComputationGraph(
              spark,
              network,
              new AveragingTrainingMaster(
                  settings.plan(),
                  objective,
                  store,
                  report -> {
                    metrics.add(report);
                    show(progress, report);
                  }));
      while (rounds < all) {
        graph.fitPathsMultiDataSet(spark.parallelize(shards, 1));
        metrics.write();
        Path checkpoint =
            checkpoints
                .latest()
                .orElseThrow(() -> new IOException("The segment left no complete checkpoint"));
        long reached = CheckpointStore.progress(checkpoint, hadoop).round();
        if (reached <= rounds) {
          throw new IOException("The segment after average " + rounds + " left no checkpoint");
        }
        rounds = reached;
        listener.reached(checkpoint, rounds * settings.plan().frequency());
      }
    }
    return checkpoints.latest().orElseThrow();
  }

  /** Returns a checkpoint's rounds; with another frequency they would stand for other steps. */
  private long roundsDone(Path checkpoint, Configuration hadoop) throws IOException {
    StateStore.Progress done = CheckpointStore.progress(checkpoint, hadoop);
    int frequency = settings.plan().frequency();
    if (done.step() != done.round() * frequency) {
      throw new UsageException(
          "averaging.frequency = "
              + frequency
              + ": "
              + checkpoint.getName()
              + " was reached with "
              + done.step() / done.round()
              + ": go on with that, or choose another output");
    }
    return done.round();
  }

  private double validation = Double.NaN;

  private void show(Progress progress, RoundReport report) {
    if (report.validationLoss() != null) {
      validation = report.validationLoss();
    }
    progress.note(
        String.format(Locale.ROOT, "loss %.4f, held out %.4f", report.loss(), validation));
    progress.at(report.step());
  }

  private void requireSlots() {
    int slots = spark.sc().defaultParallelism();
    if (slots < settings.plan().workers()) {
      throw new UsageException(
          "workers="
              + settings.plan().workers()
              + " needs as many task slots at once, and the cluster offers "
              + slots
              + ": set workers lower, or give the job more cores");
    }
  }
}
