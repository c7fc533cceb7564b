package org.latentspark.train;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.deeplearning4j.spark.impl.graph.SparkComputationGraph;
import org.latentspark.averaging.AveragingTrainingMaster;
import org.latentspark.averaging.NonFiniteException;
import org.latentspark.averaging.Objective;
import org.latentspark.averaging.RoundReport;
import org.latentspark.averaging.RunListener;
import org.latentspark.averaging.RunMetrics;
import org.latentspark.averaging.SegmentFailedException;
import org.latentspark.averaging.Slots;
import org.latentspark.averaging.StateStore;
import org.latentspark.checkpoint.CheckpointStore;
import org.latentspark.checkpoint.Checkpoints;
import org.latentspark.checkpoint.Histograms;
import org.latentspark.cli.InputException;
import org.latentspark.cli.Progress;
import org.latentspark.cli.RunId;
import org.latentspark.cli.UsageException;
import org.latentspark.graph.Architecture;
import org.latentspark.graph.FlatNetwork;
import org.latentspark.graph.TorchGraphs;
import org.latentspark.model.TorchModel;
import org.latentspark.tensor.FileSystems;
import org.nd4j.linalg.learning.config.Adam;

/** Runs an objective to its last step: segment after segment, from checkpoint to checkpoint. */
final class Trainer {
  /** Hears of each new checkpoint, on the driver. */
  interface CheckpointListener {
    /** Called with each checkpoint when it is complete, while training goes on. */
    void reached(Path checkpoint, long step, RunEvents events) throws IOException;
  }

  private final JavaSparkContext spark;
  private final RunSettings settings;
  private final Architecture architecture;
  private final LossAlarm alarm = new LossAlarm();
  private int damagedFiles;
  private double validation = Double.NaN;
  private String start;
  private long rounds;
  private int failures;

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
   * @param facts what each checkpoint's trainer_state.json records besides the progress
   * @return the last checkpoint
   */
  Path run(
      Objective objective,
      List<String> shards,
      TreeMap<String, String> texts,
      TreeMap<String, String> facts,
      CheckpointListener listener)
      throws IOException {
    AveragingTrainingMaster.refuseUnfitCluster(spark.getConf());
    settings.device().requireAsked(spark.getConf());
    Workforce workforce = new Workforce(new Slots(spark), settings);
    workforce.requireAll();
    Configuration hadoop = spark.hadoopConfiguration();
    Checkpoints checkpoints = checkpoints();
    TreeMap<String, String> record = new TreeMap<>(facts);
    record.put("config", settings.effective());
    record.put("run", RunId.here());
    String state = reached().map(Path::getName).orElse(StateStore.START);
    rounds = roundsDone(checkpoints, state);
    long all = settings.plan().rounds();
    if (rounds > 0) {
      System.out.printf("Going on from %s, %d of %d averages done%n", state, rounds, all);
    }
    MetricsLog metrics = new MetricsLog(new Path(settings.output()), hadoop, rounds);
    RunEvents events = new RunEvents(new Path(settings.output()), hadoop, steps(rounds));
    try (FlatNetwork network = network()) {
      StateStore store = store(network.model(), checkpoints, state, texts, record);
      System.out.printf(
          Locale.ROOT,
          "Training %s of %,d parameters with %d workers on %s, %s%n",
          architecture.directory(),
          network.graph().numParams(),
          settings.plan().workers(),
          settings.device(),
          settings.plan().precision());
      try (Progress progress =
          Progress.start("train", "steps", all * settings.plan().frequency())) {
        AveragingTrainingMaster master =
            new AveragingTrainingMaster(
                settings.plan(),
                objective,
                store,
                new RunListener() {
                  @Override
                  public void round(RoundReport report) {
                    metrics.add(report);
                    RunMetrics.here().round(report);
                    events.add(report);
                    show(progress, report);
                  }

                  @Override
                  public void keep() {
                    metrics.flush();
                    events.flush();
                  }

                  @Override
                  public void state(String name) {
                    reached(checkpoints, name, listener, events);
                  }
                });
        master.computeOn(settings.device());
        SparkComputationGraph graph = new SparkComputationGraph(spark, network.graph(), master);
        while (rounds < all) {
          int workers = workforce.next();
          master.prepare(state, workers);
          // Spark's pages show it beside the job, whose tasks have the workers' ranks as indices.
          spark.setJobDescription(
              String.format(
                  Locale.ROOT,
                  "%s: averages %d to %d with %d workers",
                  architecture.directory(),
                  rounds + 1,
                  all,
                  workers));
          try {
            graph.fitPathsMultiDataSet(spark.parallelize(shards, 1));
            state = master.state();
          } catch (NonFiniteException e) {
            throw new IllegalStateException(e.getMessage() + dump(e, rounds), e);
          } catch (SegmentFailedException e) {
            failures++;
            workforce.recover(e, rounds, failures);
            state = newest(checkpoints);
          }
          long done = roundsDone(checkpoints, state);
          reached(checkpoints, state, listener, events);
          metrics.keep(done);
          events.keep(steps(done));
          rounds = done;
        }
      } finally {
        spark.setJobDescription(null);
      }
    }
    return checkpoints.named(state);
  }

  /** Returns where states go, and come from: the run's own, or at its start the initial weights. */
  private StateStore store(
      TorchModel model,
      Checkpoints checkpoints,
      String state,
      TreeMap<String, String> texts,
      TreeMap<String, String> record)
      throws IOException {
    Configuration hadoop = spark.hadoopConfiguration();
    StateStore store =
        new CheckpointStore(
            FileSystems.qualified(settings.output(), hadoop),
            architecture.directory(),
            settings.seed(),
            texts,
            record,
            settings.keep(),
            settings.milestoneSteps(),
            settings.writing());
    if (rounds > 0) {
      CheckpointStore.requireSameModel(
          checkpoints.named(state), hadoop, model, architecture.directory());
    } else if (!settings.initial().isEmpty()) {
      store = WarmStart.of(store, settings.initial(), architecture.directory(), model, hadoop);
      System.out.println("Beginning with the weights of " + settings.initial());
    }
    return store;
  }

  private long steps(long averages) {
    return averages * settings.plan().frequency();
  }

  /** Passes on a checkpoint, unless it is an old one. */
  private void reached(
      Checkpoints checkpoints, String name, CheckpointListener listener, RunEvents events) {
    try {
      long done = roundsDone(checkpoints, name);
      if (done <= rounds) {
        return;
      }
      rounds = done;
      failures = 0;
      Path checkpoint = checkpoints.named(name);
      try {
        events.histograms(steps(done), Histograms.read(checkpoint, spark.hadoopConfiguration()));
        listener.reached(checkpoint, steps(done), events);
      } catch (IOException | InputException e) {
        if (checkpoints.isWhole(checkpoint)) {
          throw e;
        }
        System.out.println(checkpoint + " has made room for newer ones before it was drawn");
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot look at the checkpoint " + name, e);
    }
  }

  /** Returns the checkpoint that the run goes on from; it is looked for, and checked, but once. */
  Optional<Path> reached() throws IOException {
    Checkpoints checkpoints = checkpoints();
    if (start == null) {
      start = newest(checkpoints);
    }
    return start.equals(StateStore.START)
        ? Optional.empty()
        : Optional.of(checkpoints.named(start));
  }

  private Checkpoints checkpoints() throws IOException {
    return Checkpoints.of(new Path(settings.output()), spark.hadoopConfiguration());
  }

  /** Makes DL4J's graph, which takes the last average; until then it need not be in memory. */
  private FlatNetwork network() {
    return new FlatNetwork(
        TorchGraphs.configuration(
            architecture,
            settings.modelJson(),
            settings.seed(),
            new Adam(settings.plan().learningRate().peak())),
        settings.plan().vectors());
  }

  /** Returns the newest whole checkpoint's name and tells of those that it passes over. */
  private static String newest(Checkpoints checkpoints) throws IOException {
    String state = checkpoints.latest().map(Path::getName).orElse(StateStore.START);
    for (Path checkpoint : checkpoints.list()) {
      if (state.equals(StateStore.START)
          || Checkpoints.step(checkpoint) > Checkpoints.step(checkpoints.named(state))) {
        System.out.println("Passing over " + checkpoint + ": it is incomplete or damaged");
      }
    }
    return state;
  }

  /** Writes what led to NaN or infinite values into the run's directory and says where. */
  private String dump(NonFiniteException failure, long rounds) throws IOException {
    Path file =
        new Path(
            settings.output(),
            String.format(Locale.ROOT, "failures/after-round-%09d.json", rounds));
    String text = "[\n" + String.join(",\n", failure.dumps()) + "\n]\n";
    try (OutputStream out = FileSystems.of(file, spark.hadoopConfiguration()).create(file, true)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
    return ". What led there is in " + file;
  }

  /** Returns a state's rounds; with another frequency they would stand for other steps. */
  private long roundsDone(Checkpoints checkpoints, String state) throws IOException {
    if (state.equals(StateStore.START)) {
      return 0;
    }
    StateStore.Progress done =
        CheckpointStore.progress(checkpoints.named(state), spark.hadoopConfiguration());
    int frequency = settings.plan().frequency();
    if (done.step() != done.round() * frequency) {
      throw new UsageException(
          "averaging.frequency = "
              + frequency
              + ": "
              + state
              + " was reached with "
              + done.step() / done.round()
              + ": go on with that, or choose another output");
    }
    return done.round();
  }

  private void show(Progress progress, RoundReport report) {
    alarm.look(report).ifPresent(System.out::println);
    if (report.discarded() != null) {
      System.out.printf(
          "Round %d gave NaN or infinite values: it was discarded and made anew with other"
              + " examples%n",
          report.round());
    }
    if (report.damagedFiles() != null && report.damagedFiles() > damagedFiles) {
      damagedFiles = report.damagedFiles();
      System.out.printf(
          "Round %d: the workers have left out %d damaged data files; their logs name them%n",
          report.round(), damagedFiles);
    }
    if (report.validationLoss() != null) {
      validation = report.validationLoss();
    }
    progress.note(
        String.format(Locale.ROOT, "loss %.4f, held out %.4f", report.loss(), validation));
    progress.at(report.step());
  }
}
