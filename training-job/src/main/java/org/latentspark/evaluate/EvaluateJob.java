package org.latentspark.evaluate;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.latentspark.cli.Figures;
import org.latentspark.cli.InputException;
import org.latentspark.cli.Launcher;
import org.latentspark.cli.Outline;
import org.latentspark.cli.Progress;
import org.latentspark.cli.Settings;
import org.latentspark.cli.Verb;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.Manifest;
import org.latentspark.latents.Split;
import org.latentspark.model.ModelDirectory;
import org.latentspark.sample.DrawKeys;
import org.latentspark.sample.DrawOutline;
import org.latentspark.sample.TextToImage;
import org.latentspark.tensor.CompleteFile;
import org.latentspark.tensor.FileSystems;
import org.latentspark.tensor.Natives;
import org.latentspark.tensor.OutputLease;
import org.latentspark.train.HeldOutLoss;
import org.latentspark.unet.ForwardFlops;
import org.latentspark.unet.UNet2DConditionConfig;

/** The verb {@code evaluate}: how good a checkpoint is on the pairs held out from training. */
public final class EvaluateJob implements Verb<EvaluateSettings> {
  /** Runs the verb. */
  public static void main(String[] arguments) {
    System.setProperty("java.awt.headless", "true");
    Launcher.main(new EvaluateJob(), arguments);
  }

  @Override
  public String name() {
    return "evaluate";
  }

  @Override
  public String summary() {
    return "Judges a checkpoint on held-out pairs: loss, distances of its pictures, CLIP score.";
  }

  @Override
  public List<String> references() {
    return List.of("org/latentspark/evaluate/reference.conf", DrawKeys.REFERENCE);
  }

  @Override
  public EvaluateSettings configure(Settings settings) {
    return EvaluateSettings.read(settings);
  }

  @Override
  public void run(EvaluateSettings settings) throws IOException {
    Configuration hadoop = SparkHadoopUtil.get().conf();
    if (settings.threads() > 0) {
      Natives.operationThreads(settings.threads());
    }
    long start = System.nanoTime();
    Path encoders = new Path(settings.encoders());
    MeasuredPairs held =
        MeasuredPairs.read(
            dataset(settings, hadoop),
            Split.VALIDATION,
            settings.count(),
            settings.distances().fewest());
    SortedMap<String, String> origin = Judge.origin(held, encoders, hadoop);
    SortedMap<String, String> inceptionOrigin = new TreeMap<>(origin);
    Optional<InceptionFeatures> inception = Optional.empty();
    if (!settings.inception().isEmpty()) {
      Path directory = new Path(settings.inception());
      inception = Optional.of(InceptionFeatures.load(directory, hadoop));
      inceptionOrigin.put("inception", new ModelDirectory(directory, hadoop).fingerprint());
    }
    TextToImage model = TextToImage.open(encoders, hadoop);
    Path checkpoint = TextToImage.checkpoint(new Path(settings.checkpoint()), hadoop);
    model.load(checkpoint, settings.weights());
    requireFit(checkpoint, model.sampler().unet().config(), held.dataset());
    requireParts(checkpoint, model.sampler().schedule().steps());
    Judge judge =
        new Judge(model, Judge.clip(encoders, hadoop), held, settings.draw(), settings.seed());

    Path output = new Path(settings.output());
    Path result = new Path(output, Evaluation.FILE_NAME);
    try (OutputLease lease = OutputLease.take(output, hadoop, name());
        PointerScope scope = new PointerScope()) {
      FileSystems.of(result, hadoop).delete(result, false);
      double[][] losses = counted("loss", held, judge::losses);
      List<Judge.Features> features = new ArrayList<>(List.of(judge.clip()::images));
      inception.ifPresent(network -> features.add(network::of));
      List<Tensor> drawn = counted("draw", held, done -> judge.drawnFeatures(features, done));
      Path reference = new Path(settings.reference());
      Tensor real = real(judge, judge.clip()::images, reference, origin, hadoop);
      Optional<Distances> inceptionDistances = Optional.empty();
      if (inception.isPresent()) {
        Tensor realInception =
            real(
                judge,
                inception.get()::of,
                new Path(reference, "inception"),
                inceptionOrigin,
                hadoop);
        inceptionDistances =
            Optional.of(
                Distances.of(realInception, drawn.get(1), settings.distances(), settings.seed()));
      }
      Tensor captions = judge.captionFeatures();
      Evaluation evaluation =
          new Evaluation(
              checkpoint.toString(),
              held.count(),
              real.size(1),
              Interval.ofMean(perPair(losses), settings.seed()),
              Arrays.stream(losses).map(row -> Interval.ofMean(row, settings.seed())).toList(),
              model.sampler().schedule().steps() / HeldOutLoss.BUCKETS,
              Distances.of(real, drawn.get(0), settings.distances(), settings.seed()),
              inceptionDistances,
              Interval.ofMean(Judge.clipScores(drawn.get(0), captions), settings.seed()),
              Interval.ofMean(Judge.clipScores(real, captions), settings.seed()),
              inceptionOrigin,
              (System.nanoTime() - start) / 1e9);
      CompleteFile.write(
          result, evaluation.toJson(settings.distances(), settings.record()), hadoop);
      System.out.printf(
          "%s on %d held-out pairs of %s:%n%s%s%n",
          checkpoint, held.count(), settings.dataset(), evaluation.table(), result);
    }
  }

  @Override
  public void outline(EvaluateSettings settings, Outline outline) throws IOException {
    Configuration hadoop = SparkHadoopUtil.get().conf();
    LatentDataset dataset = dataset(settings, hadoop);
    long rows =
        MeasuredPairs.requireEnough(dataset, Split.VALIDATION, settings.distances().fewest());
    long pairs = Math.min(rows, settings.count());
    outline.tell(
        "pairs",
        "%s of %s held out, of version %d",
        Figures.whole(pairs),
        Figures.whole(rows),
        dataset.manifest().version());
    DrawOutline draw =
        DrawOutline.read(settings.checkpoint(), settings.weights(), settings.encoders(), hadoop);
    requireFit(draw.checkpoint(), draw.unet(), dataset);
    new ModelDirectory(new Path(settings.encoders(), "image_encoder"), hadoop).configText();
    draw.tell(settings.draw(), pairs, outline);
    double loss =
        HeldOutLoss.BUCKETS
            * ForwardFlops.of(
                draw.unet(),
                dataset.manifest().latent().shape().height(),
                dataset.manifest().latent().shape().width(),
                dataset.manifest().text().tokens());
    outline.tell(
        "loss",
        "in %d parts of the schedule: %sFLOP",
        HeldOutLoss.BUCKETS,
        Figures.scaled(loss * pairs));
    outline.tell(
        "features",
        "of CLIP%s, reference in %s",
        settings.inception().isEmpty() ? "" : " and of Inception",
        settings.reference());
    outline.tell("output", settings.output());
  }

  private static LatentDataset dataset(EvaluateSettings settings, Configuration hadoop)
      throws IOException {
    Path directory = new Path(settings.dataset());
    return settings.version() == 0
        ? LatentDataset.open(directory, hadoop)
        : LatentDataset.open(directory, settings.version(), hadoop);
  }

  /** Returns the features of the real pictures, which are kept for later runs. */
  private static Tensor real(
      Judge judge,
      Judge.Features features,
      Path kept,
      SortedMap<String, String> origin,
      Configuration hadoop)
      throws IOException {
    return new ReferenceFeatures(kept, origin, hadoop)
        .readOr(() -> counted("decode", judge.held(), done -> judge.realFeatures(features, done)));
  }

  private static void requireFit(
      Path checkpoint, UNet2DConditionConfig config, LatentDataset dataset) {
    Manifest manifest = dataset.manifest();
    if (config.inChannels() != manifest.latent().shape().channels()
        || config.crossAttentionDim() != manifest.text().dim()) {
      throw new InputException(
          "%s takes latents of %d channels and text of width %d, and %s holds %d and %d"
              .formatted(
                  checkpoint,
                  config.inChannels(),
                  config.crossAttentionDim(),
                  dataset.directory(),
                  manifest.latent().shape().channels(),
                  manifest.text().dim()));
    }
  }

  private static void requireParts(Path checkpoint, int steps) {
    if (steps < HeldOutLoss.BUCKETS) {
      throw new InputException(
          "%s has a schedule of %d steps, and the loss is told in %d parts"
              .formatted(checkpoint, steps, HeldOutLoss.BUCKETS));
    }
  }

  private static <T> T counted(String task, MeasuredPairs held, Function<LongConsumer, T> work) {
    try (Progress progress = Progress.start("evaluate: " + task, "pairs", held.count())) {
      return work.apply(progress::advance);
    }
  }

  private static double[] perPair(double[][] losses) {
    return IntStream.range(0, losses[0].length)
        .mapToDouble(
            pair -> Arrays.stream(losses).mapToDouble(row -> row[pair]).average().orElseThrow())
        .toArray();
  }
}
