package org.latentspark.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.latentspark.averaging.RoundReport;
import org.latentspark.cli.Launcher;
import org.latentspark.cli.Settings;
import org.latentspark.cli.Verb;
import org.latentspark.unet.UNet2DConditionConfig;
import org.latentspark.unet.UNet2DConditionModel;

/**
 * The study of H against quality: trains one model with several H, numbers of workers and outer
 * optimizers on the same number of examples, and draws the held-out loss against examples and
 * against bytes exchanged.
 */
public final class FrequencyStudy implements Verb<FrequencyStudy.Plan> {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /** What is run. */
  record Plan(
      String dataset,
      Path model,
      Path output,
      long examples,
      int batchSize,
      List<Integer> frequencies,
      List<Integer> workers,
      List<String> outers,
      double learningRate,
      int measurements,
      long seed) {}

  /**
   * One run.
   *
   * @param points held-out loss on the way; none where the run did not come to its end
   */
  record Run(int workers, int frequency, String outer, List<Point> points) {}

  /**
   * A measurement.
   *
   * @param examples seen by all workers
   * @param bytes sent by each worker, as a ring's all-reduce sends them
   */
  record Point(long examples, double bytes, double heldOut) {}

  /** Runs the study. */
  public static void main(String[] arguments) {
    Launcher.main(new FrequencyStudy(), arguments);
  }

  @Override
  public String name() {
    return "bench h-study";
  }

  @Override
  public String summary() {
    return "Trains with several H, numbers of workers and outer optimizers and draws the losses.";
  }

  @Override
  public List<String> references() {
    return List.of("org/latentspark/train/h-study.conf");
  }

  @Override
  public Plan configure(Settings settings) {
    int batchSize = settings.integer("batch-size", 1, 1_000_000);
    long examples = settings.longInteger("examples", 1, Long.MAX_VALUE / 2);
    List<Integer> frequencies = numbers(settings, "frequencies");
    List<Integer> workers = numbers(settings, "workers");
    for (int count : workers) {
      for (int frequency : frequencies) {
        if (examples % ((long) batchSize * count * frequency) != 0) {
          settings.refuse(
              "examples",
              "must be a multiple of batch-size times each of workers times each of frequencies");
        }
      }
    }
    List<String> outers = settings.strings("outers");
    if (!List.of("plain", "nesterov").containsAll(outers)) {
      settings.refuse("outers", "must be of plain, nesterov");
    }
    return new Plan(
        settings.required("dataset"),
        Path.of(settings.required("model")),
        Path.of(settings.required("output")),
        examples,
        batchSize,
        frequencies,
        workers,
        outers,
        settings.number("learning-rate", 0, 10),
        settings.integer("measurements", 1, 1000),
        settings.longInteger("seed", Long.MIN_VALUE, Long.MAX_VALUE));
  }

  private static List<Integer> numbers(Settings settings, String key) {
    List<Integer> numbers = new ArrayList<>();
    for (String text : settings.strings(key)) {
      if (!text.matches("[1-9][0-9]{0,5}")) {
        settings.refuse(key, "must be whole numbers from 1");
        return List.of(1);
      }
      numbers.add(Integer.valueOf(text));
    }
    return numbers;
  }

  @Override
  public void run(Plan plan) throws IOException {
    Files.createDirectories(plan.output());
    long parameters =
        new UNet2DConditionModel(UNet2DConditionConfig.fromJson(Files.readString(plan.model())))
            .parameters()
            .count();
    List<Run> runs = new ArrayList<>();
    for (int workers : plan.workers()) {
      for (String outer : plan.outers()) {
        for (int frequency : plan.frequencies()) {
          // A lone worker is the baseline: it averages with nobody, whatever H.
          boolean repeated = workers == 1 && runs.stream().anyMatch(run -> run.workers() == 1);
          if (!repeated) {
            runs.add(run(plan, workers, frequency, outer, parameters));
          }
        }
      }
    }
    Files.write(plan.output().resolve("study.json"), JSON.writeValueAsBytes(runs));
    Files.writeString(
        plan.output().resolve("study.svg"), StudyChart.draw(runs), StandardCharsets.UTF_8);
    System.out.println("The study is " + plan.output().resolve("study.svg"));
  }

  private static Run run(Plan plan, int workers, int frequency, String outer, long parameters)
      throws IOException {
    Path output =
        plan.output()
            .resolve(String.format(Locale.ROOT, "%s-%d-workers-h%d", outer, workers, frequency));
    long steps = plan.examples() / ((long) plan.batchSize() * workers);
    long rounds = steps / frequency;
    String[] arguments = {
      "dataset=" + plan.dataset(),
      "model=" + plan.model(),
      "output=" + output,
      "workers=" + workers,
      "batch-size=" + plan.batchSize(),
      "steps=" + steps,
      "seed=" + plan.seed(),
      "averaging.frequency=" + frequency,
      "averaging.outer=" + outer,
      "learning-rate.peak=" + plan.learningRate(),
      "learning-rate.warmup-steps=" + steps / 20,
      // As many examples back, whatever the number of workers.
      "ema.decay=" + Math.pow(0.99, workers),
      "validation.every-rounds=" + Math.max(1, rounds / plan.measurements()),
      "checkpoint.every-rounds=" + rounds,
      "checkpoint.keep=1"
    };
    List<Point> points = new ArrayList<>();
    if (Launcher.run(new TrainJob(), arguments) == 0) {
      // Each part of the vector goes round the ring twice, but for the worker's own.
      double bytes = 2.0 * (workers - 1) / workers * parameters * Float.BYTES;
      for (String line : Files.readAllLines(output.resolve("metrics.jsonl"))) {
        RoundReport report = JSON.readValue(line, RoundReport.class);
        if (report.validationLoss() != null) {
          points.add(new Point(report.examples(), bytes * report.round(), report.validationLoss()));
        }
      }
    }
    System.out.printf(
        Locale.ROOT,
        "%d workers, H = %d, %s: %s%n",
        workers,
        frequency,
        outer,
        points.isEmpty() ? "did not end" : "held out " + points.get(points.size() - 1).heldOut());
    return new Run(workers, frequency, outer, points);
  }
}
