package org.latentspark.evaluate;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.LongStream;
import javax.imageio.ImageIO;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.latentspark.cli.Launcher;
import org.latentspark.cli.Progress;
import org.latentspark.cli.Settings;
import org.latentspark.cli.Verb;
import org.latentspark.diffusion.DdimSampler;
import org.latentspark.diffusion.DdpmSampler;
import org.latentspark.diffusion.DpmSolverOptions;
import org.latentspark.diffusion.DpmSolverOptions.Algorithm;
import org.latentspark.diffusion.Guidance;
import org.latentspark.diffusion.SamplerChoice;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.Split;
import org.latentspark.sample.ContactSheet;
import org.latentspark.sample.DrawSettings;
import org.latentspark.sample.PromptMatch;
import org.latentspark.sample.Spacing;
import org.latentspark.sample.TextToImage;
import org.latentspark.sample.Weights;
import org.latentspark.tensor.CompleteFile;
import org.latentspark.tensor.Natives;
import org.latentspark.tensor.Precision;
import org.latentspark.tensor.Tensors;

/**
 * The benchmark {@code samplers}: the same captions drawn from the same noise by DDPM, DDIM and
 * DPM-Solver++, with the time that each takes and how far its pictures are from the real ones.
 *
 * <p>What counts is processor time of one thread, so that other work on the machine does not.
 */
public final class SamplerBench implements Verb<SamplerBench.Plan> {
  static final String REFERENCE = "org/latentspark/evaluate/bench-samplers.conf";
  static final String FILE_NAME = "samplers.json";

  private static final SamplerChoice SOLVER = DpmSolverOptions.of(Algorithm.DPM_SOLVER_PLUS_PLUS);
  private static final List<Entry> ENTRIES =
      List.of(
          new Entry("dpm-solver++", 10, SOLVER),
          new Entry("dpm-solver++", 20, SOLVER),
          new Entry("ddim", 50, new DdimSampler.Options(0)),
          new Entry("ddpm", 1000, new DdpmSampler.Options(DdpmSampler.Variance.FIXED_SMALL)));
  private static final double BUDGET = 1.1;
  private static final int SHOWN = 12;
  private static final int COLUMNS = 6;
  private static final int TILE = 128;
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /** The checked configuration. */
  record Plan(
      String checkpoint,
      String dataset,
      String encoders,
      String output,
      Split split,
      int count,
      Spacing spacing,
      double guidanceScale,
      int batchSize,
      long seed,
      String record) {}

  /** A way from noise to pictures. */
  private record Entry(String sampler, int steps, SamplerChoice choice) {}

  /** What a sampler drew. */
  private record Drawn(Tensor features, List<BufferedImage> first, double seconds) {}

  /** Runs the benchmark and exits with its code. */
  public static void main(String[] arguments) {
    System.setProperty("java.awt.headless", "true");
    Launcher.main(new SamplerBench(), arguments);
  }

  @Override
  public String name() {
    return "bench samplers";
  }

  @Override
  public String summary() {
    return "Measures the samplers' time and the Fr\u00e9chet distance of their pictures.";
  }

  @Override
  public List<String> references() {
    return List.of(REFERENCE);
  }

  @Override
  public Plan configure(Settings settings) {
    return new Plan(
        settings.required("checkpoint"),
        settings.required("dataset"),
        settings.required("encoders"),
        settings.required("output"),
        settings.oneOf("split", Split.class),
        settings.integer("count", Distances.FEWEST, 1_000_000),
        settings.oneOf("timestep-spacing", Spacing.class),
        settings.number("guidance-scale", 1, 100),
        settings.integer("batch-size", 1, 1024),
        settings.longInteger("seed", 0, Long.MAX_VALUE),
        settings.render());
  }

  @Override
  public void run(Plan plan) throws IOException {
    Configuration hadoop = SparkHadoopUtil.get().conf();
    Natives.operationThreads(1);
    Path encoders = new Path(plan.encoders());
    MeasuredPairs pairs =
        MeasuredPairs.read(
            LatentDataset.open(new Path(plan.dataset()), hadoop),
            plan.split(),
            plan.count(),
            Distances.FEWEST);
    TextToImage model = TextToImage.open(encoders, hadoop);
    Path checkpoint = TextToImage.checkpoint(new Path(plan.checkpoint()), hadoop);
    model.load(checkpoint, Weights.EMA);
    PromptMatch clip = Judge.clip(encoders, hadoop);
    ObjectNode record = JSON.createObjectNode();
    record.put("checkpoint", checkpoint.toString()).put("pairs", pairs.count());
    ArrayNode rows = record.putArray("samplers");
    record.set("config", JSON.readTree(plan.record()));
    System.out.println(
        "| sampler | steps | s a picture | Fr\u00e9chet distance | 95 % | CLIP score |");
    System.out.println("|---|---|---|---|---|---|");
    try (PointerScope scope = new PointerScope()) {
      Judge judge = new Judge(model, clip, pairs, settings(plan, ENTRIES.get(0)), plan.seed());
      Tensor real = judge.realFeatures(clip::images, done -> {});
      Tensor captions = judge.captionFeatures();
      for (Entry entry : ENTRIES) {
        Drawn drawn = draw(model, clip, pairs, settings(plan, entry), plan.seed(), entry);
        Interval distance = Distances.frechet(real, drawn.features());
        Interval score = Interval.ofMean(Judge.clipScores(drawn.features(), captions), plan.seed());
        String grid = entry.sampler() + "-" + entry.steps() + ".png";
        CompleteFile.write(
            new Path(plan.output(), grid), grid(drawn.first(), pairs.captions()), hadoop);
        double seconds = drawn.seconds() / pairs.count();
        ObjectNode row = rows.addObject();
        row.put("sampler", entry.sampler()).put("steps", entry.steps());
        row.put("seconds_per_picture", seconds).put("grid", grid);
        row.set("frechet_distance", Evaluation.node(distance));
        row.set("clip_score", Evaluation.node(score));
        CompleteFile.write(
            new Path(plan.output(), FILE_NAME), JSON.writeValueAsBytes(record), hadoop);
        System.out.printf(
            Locale.ROOT,
            "| %s | %d | %.3f | %.2f | %.2f to %.2f | %.1f |%n",
            entry.sampler(),
            entry.steps(),
            seconds,
            distance.value(),
            distance.low(),
            distance.high(),
            score.value());
      }
    }
    double ratio = distance(rows, 1) / distance(rows, 2);
    System.out.printf(Locale.ROOT, "bench=samplers ratio=%.3f budget=%.2f%n", ratio, BUDGET);
  }

  private static double distance(ArrayNode rows, int row) {
    return rows.get(row).path("frechet_distance").path("value").asDouble();
  }

  private static DrawSettings settings(Plan plan, Entry entry) {
    return new DrawSettings(
        entry.choice(),
        plan.spacing(),
        entry.steps(),
        Guidance.of(plan.guidanceScale()),
        0,
        0,
        plan.batchSize(),
        Precision.FP32);
  }

  private static Drawn draw(
      TextToImage model,
      PromptMatch clip,
      MeasuredPairs pairs,
      DrawSettings settings,
      long seed,
      Entry entry) {
    List<BufferedImage> first = new ArrayList<>();
    TensorVector features = new TensorVector();
    long nanos = 0;
    String task = entry.sampler() + " " + entry.steps();
    try (Progress progress = Progress.start(task, "pictures", pairs.count())) {
      for (int from = 0; from < pairs.count(); from += settings.batchSize()) {
        int to = Math.min(pairs.count(), from + settings.batchSize());
        long start = processorNanos();
        List<BufferedImage> pictures =
            model.draw(
                pairs.captions().subList(from, to),
                "",
                LongStream.range(from, to).map(index -> seed + index).toArray(),
                settings,
                () -> {});
        nanos += processorNanos() - start;
        pictures.stream().limit(SHOWN - first.size()).forEach(first::add);
        features.push_back(Tensors.scoped(() -> clip.images(pictures)));
        progress.advance(to - from);
      }
    }
    return new Drawn(torch.cat(features, 0), first, nanos / 1e9);
  }

  private static long processorNanos() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  private static byte[] grid(List<BufferedImage> pictures, List<String> captions)
      throws IOException {
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    ImageIO.write(
        new ContactSheet(COLUMNS, TILE).draw(pictures, captions.subList(0, pictures.size())),
        "png",
        png);
    return png.toByteArray();
  }
}
