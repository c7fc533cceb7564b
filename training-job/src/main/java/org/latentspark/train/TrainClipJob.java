package org.latentspark.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
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
import org.latentspark.model.BpeTrainer;
import org.latentspark.model.ClipConfig;
import org.latentspark.model.ClipModel;
import org.latentspark.model.ClipTokenizer;
import org.latentspark.model.ClipVocabulary;
import org.latentspark.model.ModelDirectory;
import org.latentspark.tensor.FileSystems;
import org.latentspark.tensor.SafetensorsType;

/** The verb {@code train-clip}: learns a vocabulary, trains both towers of CLIP, exports them. */
public final class TrainClipJob implements Verb<TrainClipJob.Plan> {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /** The checked configuration of a run. */
  record Plan(
      RunSettings run,
      Pictures.Source source,
      PictureAugmentation augmentation,
      int vocabularySize) {}

  TrainClipJob() {}

  /** Runs the verb and exits with its code. */
  public static void main(String[] arguments) {
    Launcher.main(new TrainClipJob(), arguments);
  }

  @Override
  public String name() {
    return "train-clip";
  }

  @Override
  public String summary() {
    return "Trains CLIP's text and image encoders and their tokenizer, and writes them in"
        + " transformers' layout to <output>/text_encoder, image_encoder and tokenizer.";
  }

  @Override
  public List<String> references() {
    return List.of(RunSettings.REFERENCE, Pictures.REFERENCE, "org/latentspark/train/clip.conf");
  }

  @Override
  public Plan configure(Settings settings) {
    return new Plan(
        RunSettings.read(settings, ClipConfig::parse),
        Pictures.Source.read(settings),
        PictureAugmentation.read(settings),
        settings.integer("tokenizer.vocabulary-size", 514, 1_000_000));
  }

  @Override
  public void run(Plan plan) throws IOException {
    Jobs.run(name(), plan.run().output(), spark -> train(spark, plan));
  }

  @Override
  public void outline(Plan plan, Outline outline) throws IOException {
    RunOutline run = new RunOutline(plan.run(), Architecture.CLIP);
    run.tell(outline, SparkHadoopUtil.get().conf());
    outline.time(run.steps() * run.stepExamples(), "examples");
  }

  private static void train(SparkSession spark, Plan plan) throws IOException {
    Configuration hadoop = spark.sparkContext().hadoopConfiguration();
    Pictures pictures = Pictures.list(spark, plan.source(), plan.run().seed());
    int tokens = ClipConfig.parse(plan.run().modelJson()).text().maxTokens();
    ClipVocabulary vocabulary =
        BpeTrainer.train(
            pictures.entries().stream()
                .filter(entry -> entry.split() == Split.TRAIN)
                .map(Pictures.Entry::caption)
                .toList(),
            plan.vocabularySize());
    ClipTokenizer tokenizer = tokenizer(vocabulary, tokens, plan.run().output(), hadoop);
    RunSettings run = plan.run().withModelJson(sized(plan.run().modelJson(), vocabulary));
    Path checkpoint =
        new Trainer(new JavaSparkContext(spark.sparkContext()), run, Architecture.CLIP)
            .run(
                new ContrastiveObjective(
                    pictures, tokenizer, run.batchSize(), run.seed(), plan.augmentation()),
                plan.source().metadata(),
                new TreeMap<>(),
                new TreeMap<>(),
                (reached, step, events) -> {});
    export(run, pictures, tokenizer, checkpoint, hadoop);
  }

  private static ClipTokenizer tokenizer(
      ClipVocabulary vocabulary, int tokens, String output, Configuration hadoop)
      throws IOException {
    java.nio.file.Path local = Files.createTempDirectory("latentspark-tokenizer");
    vocabulary.write(local, tokens);
    Path target = new Path(output, "tokenizer");
    var fileSystem = FileSystems.of(target, hadoop);
    fileSystem.mkdirs(target);
    try (var files = Files.list(local)) {
      for (java.nio.file.Path file : files.toList()) {
        try (OutputStream out =
            fileSystem.create(new Path(target, file.getFileName().toString()), true)) {
          Files.copy(file, out);
        }
        Files.delete(file);
      }
    }
    Files.delete(local);
    return ClipTokenizer.load(target, hadoop);
  }

  /** Sets the model's text side to the vocabulary's size and special ids. */
  private static String sized(String modelJson, ClipVocabulary vocabulary) throws IOException {
    ObjectNode config = (ObjectNode) JSON.readTree(modelJson);
    ObjectNode text = config.withObject("/text_config");
    text.put("vocab_size", vocabulary.size());
    text.put("bos_token_id", vocabulary.startToken());
    text.put("eos_token_id", vocabulary.endToken());
    text.put("pad_token_id", vocabulary.endToken());
    return ClipConfig.parse(JSON.writeValueAsString(config)).json();
  }

  private static void export(
      RunSettings run,
      Pictures pictures,
      ClipTokenizer tokenizer,
      Path checkpoint,
      Configuration hadoop)
      throws IOException {
    ClipModel clip = new ClipModel(ClipConfig.parse(run.modelJson()));
    clip.parameters().allocate();
    new ModelDirectory(new Path(checkpoint, "clip_ema"), hadoop).load(clip.parameters());
    RetrievalQuality.Figures heldOut;
    try (Pictures.Loaded other = pictures.load(Split.VALIDATION, 0, 1)) {
      heldOut = RetrievalQuality.measure(clip, tokenizer, other);
    }
    Path output = new Path(run.output());
    clip.saveEncoders(output, SafetensorsType.F16, hadoop);
    ObjectNode figures = JSON.createObjectNode();
    figures.put("checkpoint", checkpoint.getName());
    figures.put("seed", run.seed());
    figures.put("vocabulary", tokenizer.vocabularySize());
    figures.set("held_out", JSON.valueToTree(heldOut));
    Path file = new Path(output, "clip-figures.json");
    try (OutputStream out = FileSystems.of(file, hadoop).create(file, true)) {
      out.write(JSON.writeValueAsBytes(figures));
    }
    System.out.printf(
        Locale.ROOT,
        "Held-out text-to-image recall@10 %.1f %% of %d (chance %.1f %%, %.1f times), recall@1"
            + " %.1f %%%n%s holds text_encoder, image_encoder and tokenizer%n",
        100 * heldOut.recallAt10(),
        heldOut.pairs(),
        100 * heldOut.chanceAt10(),
        heldOut.recallAt10() / heldOut.chanceAt10(),
        100 * heldOut.recallAt1(),
        run.output());
  }
}
