package org.latentspark.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.apache.spark.sql.SparkSession;
import org.latentspark.cli.Launcher;
import org.latentspark.cli.Outline;
import org.latentspark.cli.Settings;
import org.latentspark.cli.Verb;
import org.latentspark.graph.Architecture;
import org.latentspark.latents.Split;
import org.latentspark.model.AutoencoderKL;
import org.latentspark.model.AutoencoderKLConfig;
import org.latentspark.model.ModelDirectory;
import org.latentspark.tensor.FileSystems;
import org.latentspark.tensor.SafetensorsType;

/** The verb {@code train-vae}: trains an AutoencoderKL on pictures and exports it. */
public final class TrainVaeJob implements Verb<TrainVaeJob.Plan> {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /** The checked configuration of a run. */
  record Plan(RunSettings run, Pictures.Source source, ReconstructionObjective.Weights weights) {}

  TrainVaeJob() {}

  /** Runs the verb and exits with its code. */
  public static void main(String[] arguments) {
    Launcher.main(new TrainVaeJob(), arguments);
  }

  @Override
  public String name() {
    return "train-vae";
  }

  @Override
  public String summary() {
    return "Trains the autoencoder that turns pictures into latents and back, and writes it in"
        + " diffusers' layout to <output>/vae.";
  }

  @Override
  public List<String> references() {
    return List.of(RunSettings.REFERENCE, Pictures.REFERENCE, "org/latentspark/train/vae.conf");
  }

  @Override
  public Plan configure(Settings settings) {
    return new Plan(
        RunSettings.read(settings, AutoencoderKLConfig::fromJson),
        Pictures.Source.read(settings),
        ReconstructionObjective.Weights.read(settings));
  }

  @Override
  public void run(Plan plan) throws IOException {
    Jobs.run(name(), plan.run().output(), spark -> train(spark, plan));
  }

  @Override
  public void outline(Plan plan, Outline outline) throws IOException {
    RunOutline run = new RunOutline(plan.run(), Architecture.VAE);
    run.tell(outline, SparkHadoopUtil.get().conf());
    outline.time(run.steps() * run.stepExamples(), "examples");
  }

  private static void train(SparkSession spark, Plan plan) throws IOException {
    Pictures pictures = Pictures.list(spark, plan.source(), plan.run().seed());
    RunSettings run = plan.run();
    Path checkpoint =
        new Trainer(new JavaSparkContext(spark.sparkContext()), run, Architecture.VAE)
            .run(
                new ReconstructionObjective(pictures, run.batchSize(), run.seed(), plan.weights()),
                plan.source().metadata(),
                new TreeMap<>(),
                new TreeMap<>(),
                (reached, step, events) -> {});
    export(run, pictures, checkpoint, spark.sparkContext().hadoopConfiguration());
  }

  private static void export(
      RunSettings run, Pictures pictures, Path checkpoint, Configuration hadoop)
      throws IOException {
    AutoencoderKLConfig trained = AutoencoderKLConfig.fromJson(run.modelJson());
    AutoencoderKL vae = new AutoencoderKL(trained);
    vae.parameters().allocate();
    new ModelDirectory(new Path(checkpoint, "vae_ema"), hadoop).load(vae.parameters());
    ReconstructionQuality.Figures train;
    ReconstructionQuality.Figures heldOut;
    try (Pictures.Loaded own = pictures.load(Split.TRAIN, 0, 1);
        Pictures.Loaded other = pictures.load(Split.VALIDATION, 0, 1)) {
      train = ReconstructionQuality.measure(vae, own);
      heldOut = ReconstructionQuality.measure(vae, other);
    }
    AutoencoderKL scaled = new AutoencoderKL(trained.withScalingFactor(1 / train.latentStd()));
    scaled.parameters().bind(vae.parameters().values());
    Path output = new Path(run.output());
    new ModelDirectory(new Path(output, "vae"), hadoop)
        .save(
            scaled,
            scaled.parameters().values(),
            ModelDirectory.Layout.DIFFUSERS,
            SafetensorsType.F16);
    ObjectNode figures = JSON.createObjectNode();
    figures.put("checkpoint", checkpoint.getName());
    figures.put("seed", run.seed());
    figures.set("train", JSON.valueToTree(train));
    figures.set("held_out", JSON.valueToTree(heldOut));
    Path file = new Path(output, "vae-figures.json");
    try (OutputStream out = FileSystems.of(file, hadoop).create(file, true)) {
      out.write(JSON.writeValueAsBytes(figures));
    }
    System.out.printf(
        Locale.ROOT,
        "Held-out PSNR %.2f dB (mean over %d pictures), %.2f dB (of the mean error);"
            + " colour alone %.2f dB%n%s/vae holds the autoencoder%n",
        heldOut.psnr(),
        heldOut.pictures(),
        heldOut.psnrOfMeanError(),
        heldOut.colourPsnr(),
        run.output());
  }
}
