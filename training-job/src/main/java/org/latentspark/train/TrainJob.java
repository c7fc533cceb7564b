package org.latentspark.train;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.apache.spark.sql.SparkSession;
import org.latentspark.checkpoint.CheckpointStore;
import org.latentspark.cli.Figures;
import org.latentspark.cli.InputException;
import org.latentspark.cli.Launcher;
import org.latentspark.cli.Outline;
import org.latentspark.cli.Settings;
import org.latentspark.cli.UsageException;
import org.latentspark.cli.Verb;
import org.latentspark.diffusion.LatentScale;
import org.latentspark.diffusion.SchedulerConfig;
import org.latentspark.graph.Architecture;
import org.latentspark.latents.DataFile;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.Manifest;
import org.latentspark.latents.Split;
import org.latentspark.tensor.FileSystems;
import org.latentspark.unet.Activations;
import org.latentspark.unet.ForwardFlops;
import org.latentspark.unet.UNet2DConditionConfig;

/** The verb {@code train}: fits the noise-prediction U-Net to an encoded data set. */
public final class TrainJob implements Verb<TrainJob.Plan> {
  private static final String VERSION = "dataset_version";
  private static final String FINGERPRINT = "dataset_fingerprint";

  /** The checked configuration of a run. */
  record Plan(
      RunSettings run,
      String dataset,
      String encoders,
      double captionDropout,
      LatentStream.Limits limits,
      Activations activations,
      SchedulerConfig scheduler,
      NoiseKeys.Training noise,
      SampleGrids.Prompts samples) {}

  /** Makes the verb; {@link #main} runs it. */
  public TrainJob() {}

  /** Runs the verb and exits with its code. */
  public static void main(String[] arguments) {
    Launcher.main(new TrainJob(), arguments);
  }

  @Override
  public String name() {
    return "train";
  }

  @Override
  public String summary() {
    return "Trains the U-Net on an encoded data set by parameter averaging; goes on from the"
        + " newest checkpoint of its output.";
  }

  @Override
  public List<String> references() {
    return List.of(RunSettings.REFERENCE, "org/latentspark/train/unet.conf");
  }

  @Override
  public Plan configure(Settings settings) {
    SchedulerConfig scheduler = NoiseKeys.scheduler(settings);
    int timesteps = scheduler.betas().steps();
    SampleGrids.Prompts samples = SampleGrids.Prompts.read(settings);
    if (samples.steps() > timesteps) {
      settings.refuse("samples.steps", "must be at most noise.timesteps, which is " + timesteps);
    }
    return new Plan(
        RunSettings.read(settings, UNet2DConditionConfig::fromJson),
        settings.required("dataset"),
        settings.string("encoders"),
        settings.number("caption-dropout", 0, 1),
        LatentStream.Limits.read(settings),
        settings.oneOf("activations", Activations.class),
        scheduler,
        NoiseKeys.training(settings),
        samples);
  }

  @Override
  public void run(Plan plan) throws IOException {
    Jobs.run(name(), plan.run().output(), spark -> train(spark, plan));
  }

  @Override
  public void outline(Plan plan, Outline outline) throws IOException {
    Configuration hadoop = SparkHadoopUtil.get().conf();
    RunOutline run = new RunOutline(plan.run(), Architecture.UNET);
    LatentDataset dataset = dataset(plan, run.reached(hadoop), hadoop);
    Manifest manifest = dataset.manifest();
    UNet2DConditionConfig unet = UNet2DConditionConfig.fromJson(plan.run().modelJson());
    requireFit(unet, manifest, plan);
    long rows = manifest.rows(Split.TRAIN);
    outline.tell(
        "data set",
        "%s pairs, %s held out, %s in %s files",
        Figures.whole(rows),
        Figures.whole(manifest.rows(Split.VALIDATION)),
        Figures.bytes(manifest.files().stream().mapToDouble(DataFile::bytes).sum()),
        Figures.whole(manifest.files().size()));
    run.tell(outline, hadoop);
    long examples = run.steps() * run.stepExamples();
    outline.tell("epochs", "%.4g", (double) examples / rows);
    double forward =
        ForwardFlops.of(
            unet,
            manifest.latent().shape().height(),
            manifest.latent().shape().width(),
            manifest.text().tokens());
    int passes = plan.activations() == Activations.RECOMPUTE ? 4 : 3;
    outline.tell(
        "operations",
        "%sFLOP a step of each worker, %sFLOP an example, %sFLOP in all",
        Figures.scaled(passes * forward * run.stepExamples() / plan.run().plan().workers()),
        Figures.scaled(passes * forward),
        Figures.scaled(passes * forward * examples));
    outline.time(examples, "examples");
    if (!plan.encoders().isEmpty()) {
      int count = plan.samples().prompts().size();
      outline.tell(
          "sample grids",
          "%s pictures of %s steps at each checkpoint, drawn on the driver",
          count == 0 ? SampleGrids.Prompts.COUNT : count,
          plan.samples().steps());
    }
  }

  private static void train(SparkSession spark, Plan plan) throws IOException {
    Configuration hadoop = spark.sparkContext().hadoopConfiguration();
    Trainer trainer =
        new Trainer(new JavaSparkContext(spark.sparkContext()), plan.run(), Architecture.UNET);
    LatentDataset dataset = dataset(plan, trainer.reached(), hadoop);
    Manifest manifest = dataset.manifest();
    requireFit(UNet2DConditionConfig.fromJson(plan.run().modelJson()), manifest, plan);
    TreeMap<String, String> texts = new TreeMap<>();
    texts.put("scheduler/scheduler_config.json", plan.scheduler().toJson());
    texts.put(
        LatentScale.FILE_NAME,
        LatentScale.normalizing(manifest.latent().mean(), manifest.latent().std()).toJson());
    TreeMap<String, String> state = new TreeMap<>();
    state.put("dataset", plan.dataset());
    state.put(VERSION, Integer.toString(manifest.version()));
    state.put(FINGERPRINT, dataset.fingerprint());
    Trainer.CheckpointListener listener = (checkpoint, step, events) -> {};
    if (!plan.encoders().isEmpty()) {
      SampleGrids grids =
          new SampleGrids(
              new Path(plan.run().output()),
              plan.samples(),
              prompts(plan, dataset),
              new Path(plan.encoders()),
              hadoop);
      listener = (checkpoint, step, events) -> events.grid(step, grids.draw(checkpoint));
    }
    Path checkpoint =
        trainer.run(
            new DenoisingObjective(
                FileSystems.qualified(plan.dataset(), hadoop),
                manifest.version(),
                plan.scheduler().toJson(),
                plan.noise(),
                plan.captionDropout(),
                plan.run().batchSize(),
                plan.run().seed(),
                plan.limits(),
                plan.activations()),
            dataset.files().stream().map(file -> file.path()).toList(),
            texts,
            state,
            listener);
    System.out.println("The trained model is " + checkpoint);
  }

  /**
   * Opens the data set as the run at the output has seen it; a new run takes the newest version.
   */
  private static LatentDataset dataset(Plan plan, Optional<Path> reached, Configuration hadoop)
      throws IOException {
    Path directory = new Path(plan.dataset());
    if (reached.isEmpty()) {
      return LatentDataset.open(directory, hadoop);
    }
    int version =
        CheckpointStore.recorded(reached.get(), VERSION, hadoop).map(Integer::parseInt).orElse(1);
    LatentDataset seen = LatentDataset.open(directory, version, hadoop);
    Optional<String> fingerprint = CheckpointStore.recorded(reached.get(), FINGERPRINT, hadoop);
    if (fingerprint.isPresent() && !fingerprint.get().equals(seen.fingerprint())) {
      throw new UsageException(
          ("dataset = %s: %s was trained on other data (SHA-256 of its manifest %s, not %s);"
                  + " name that data set, or another output")
              .formatted(directory, reached.get(), fingerprint.get(), seen.fingerprint()));
    }
    return seen;
  }

  /** Takes the configured prompts, or else the first training captions in the order of the keys. */
  private static List<String> prompts(Plan plan, LatentDataset dataset) throws IOException {
    if (!plan.samples().prompts().isEmpty()) {
      return plan.samples().prompts();
    }
    DamageBudget budget = new DamageBudget(plan.limits().damagedFiles());
    List<String> captions = new ArrayList<>();
    try (KeyOrder rows = new KeyOrder(dataset, Split.TRAIN, budget)) {
      while (captions.size() < SampleGrids.Prompts.COUNT && rows.hasNext()) {
        captions.add(rows.next().caption());
      }
    }
    return captions;
  }

  private static void requireFit(UNet2DConditionConfig unet, Manifest manifest, Plan plan) {
    require("in_channels", unet.inChannels(), manifest.latent().shape().channels(), plan.dataset());
    require("out_channels", unet.outChannels(), unet.inChannels(), plan.dataset());
    require("cross_attention_dim", unet.crossAttentionDim(), manifest.text().dim(), plan.dataset());
    int pooled = unet.projectionClassEmbeddingsInputDim();
    if (pooled > 0) {
      require(
          "projection_class_embeddings_input_dim", pooled, manifest.text().dim(), plan.dataset());
    }
    if (manifest.rows(Split.TRAIN) == 0) {
      throw new InputException(plan.dataset() + " has no training pairs");
    }
  }

  private static void require(String key, int value, int needed, String dataset) {
    if (value != needed) {
      throw new UsageException(
          "model: " + key + " is " + value + ", and " + dataset + " needs " + needed);
    }
  }
}
