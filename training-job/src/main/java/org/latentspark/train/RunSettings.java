package org.latentspark.train;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.function.Consumer;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.latentspark.averaging.AveragingPlan;
import org.latentspark.averaging.ComputeDevice;
import org.latentspark.averaging.Decay;
import org.latentspark.averaging.InnerOptimizer;
import org.latentspark.averaging.LearningRate;
import org.latentspark.averaging.OuterOptimizer;
import org.latentspark.averaging.StateStore;
import org.latentspark.cli.Settings;
import org.latentspark.exchange.Wire;
import org.latentspark.tensor.FileSystems;
import org.latentspark.tensor.Precision;
import org.latentspark.tensor.VectorMemory;

/**
 * The settings that every training verb shares.
 *
 * @param output the run's directory
 * @param modelJson the text of the model's config.json
 * @param initial model whose weights a new run begins with; "" for random ones
 * @param seed the seed of every draw
 * @param batchSize examples of one batch of one worker
 * @param plan how averaging runs
 * @param device what workers compute on
 * @param recovery what a failed segment costs
 * @param keep newest checkpoints that stay
 * @param milestoneSteps checkpoints at multiples of this stay for ever; 0 for none
 * @param writing whether training goes on while a checkpoint is written
 * @param effective the whole effective configuration, for the run's records
 */
record RunSettings(
    String output,
    String modelJson,
    String initial,
    long seed,
    int batchSize,
    AveragingPlan plan,
    ComputeDevice device,
    Recovery recovery,
    int keep,
    long milestoneSteps,
    StateStore.Writing writing,
    String effective) {
  private static final int MOST_EXAMPLES = 1_000_000;
  static final String REFERENCE = "org/latentspark/train/reference.conf";

  /**
   * What a failed segment may cost.
   *
   * @param attempts failures in a row, without a new checkpoint, that stop the run
   * @param patience how long task slots are waited for
   */
  record Recovery(int attempts, Duration patience) {}

  /** What {@code precision} may be. */
  enum PrecisionChoice {
    AUTO,
    FP32,
    BF16
  }

  /** What {@code averaging.outer} may be. */
  enum OuterChoice {
    PLAIN,
    NESTEROV
  }

  /** Reads the shared keys; {@code parser} checks the model's config.json. */
  static RunSettings read(Settings settings, Consumer<String> parser) {
    String output = settings.required("output");
    int frequency = settings.integer("averaging.frequency", 1, 1_000_000);
    long steps = settings.longInteger("steps", 1, Long.MAX_VALUE / 2);
    if (steps % frequency != 0) {
      settings.refuse("steps", "must be a multiple of averaging.frequency, which is " + frequency);
    }
    LearningRate rate =
        new LearningRate(
            settings.number("learning-rate.peak", 0, 10),
            settings.longInteger("learning-rate.warmup-steps", 0, Long.MAX_VALUE / 2),
            settings.number("learning-rate.hold-share", 0, 1),
            settings.number("learning-rate.final-share", 0, 1),
            steps);
    InnerOptimizer.Settings optimizer =
        new InnerOptimizer.AdamWSettings(
            belowOne(settings, "optimizer.beta1"),
            belowOne(settings, "optimizer.beta2"),
            settings.number("optimizer.epsilon", 0, 1),
            settings.number("optimizer.weight-decay", 0, 1),
            settings.oneOf("optimizer.decay", Decay.class));
    Duration deadline = settings.duration("averaging.deadline");
    if (deadline.isZero()) {
      settings.refuse("averaging.deadline", "must be above 0");
    }
    int batchSize = settings.integer("batch-size", 1, MOST_EXAMPLES);
    int accumulate = settings.integer("accumulate", 1, MOST_EXAMPLES);
    if ((long) batchSize * accumulate > MOST_EXAMPLES) {
      settings.refuse(
          "accumulate", "times batch-size (" + batchSize + ") must be at most " + MOST_EXAMPLES);
    }
    ComputeDevice device = settings.oneOf("device", ComputeDevice.class);
    AveragingPlan plan =
        new AveragingPlan(
            settings.integer("workers", 1, 100_000),
            frequency,
            settings.integer("checkpoint.every-rounds", 1, Integer.MAX_VALUE),
            Math.max(1, steps / frequency),
            rate,
            optimizer,
            settings.number("optimizer.clip-norm", 0, 1e9),
            settings.number("ema.decay", 0, 1),
            settings.integer("validation.every-rounds", 1, Integer.MAX_VALUE),
            precision(settings.oneOf("precision", PrecisionChoice.class), device),
            settings.integer("threads", 1, 1024),
            deadline,
            accumulate,
            outer(settings),
            settings.oneOf("averaging.wire", Wire.class),
            overlapSteps(settings, frequency, device),
            vectors(settings, device));
    Recovery recovery =
        new Recovery(
            settings.integer("recovery.attempts", 1, 1_000_000),
            settings.duration("recovery.patience"));
    return new RunSettings(
        output,
        modelJson(settings, parser),
        settings.string("initial"),
        settings.longInteger("seed", Long.MIN_VALUE, Long.MAX_VALUE),
        batchSize,
        plan,
        device,
        recovery,
        settings.integer("checkpoint.keep", 1, Integer.MAX_VALUE),
        settings.longInteger("checkpoint.milestone-steps", 0, Long.MAX_VALUE),
        settings.oneOf("checkpoint.writing", StateStore.Writing.class),
        settings.render());
  }

  /** Returns these settings for another model of the same kind. */
  RunSettings withModelJson(String json) {
    return new RunSettings(
        output,
        json,
        initial,
        seed,
        batchSize,
        plan,
        device,
        recovery,
        keep,
        milestoneSteps,
        writing,
        effective);
  }

  private static int overlapSteps(Settings settings, int frequency, ComputeDevice device) {
    int steps = settings.integer("averaging.overlap-steps", 0, frequency);
    if (steps > 0 && device == ComputeDevice.CUDA) {
      // NCCL's sum keeps the stream waiting that computes, so that nothing would overlap.
      settings.refuse("averaging.overlap-steps", "must be 0 with device = cuda");
    }
    return steps;
  }

  private static VectorMemory vectors(Settings settings, ComputeDevice device) {
    String folder = settings.string("averaging.vector-folder");
    if (!folder.isEmpty() && device == ComputeDevice.CUDA) {
      settings.refuse("averaging.vector-folder", "must be empty with device = cuda");
    }
    return new VectorMemory(folder);
  }

  private static OuterOptimizer.Settings outer(Settings settings) {
    double rate = settings.number("averaging.nesterov.learning-rate", 0, 10);
    double momentum = belowOne(settings, "averaging.nesterov.momentum");
    return settings.oneOf("averaging.outer", OuterChoice.class) == OuterChoice.NESTEROV
        ? new OuterOptimizer.NesterovSettings(rate, momentum)
        : new OuterOptimizer.PlainSettings();
  }

  /** Reads a decay: at 1, the past would never fade and AdamW's correction divide by 0. */
  private static double belowOne(Settings settings, String key) {
    double decay = settings.number(key, 0, 1);
    if (decay == 1) {
      settings.refuse(key, "must be below 1");
    }
    return decay;
  }

  private static String modelJson(Settings settings, Consumer<String> parser) {
    String path = settings.required("model");
    if (path.isEmpty()) {
      return "";
    }
    org.apache.hadoop.fs.Path file = new org.apache.hadoop.fs.Path(path);
    try (InputStream in = FileSystems.of(file, SparkHadoopUtil.get().conf()).open(file)) {
      String json = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      parser.accept(json);
      return json;
    } catch (IOException | RuntimeException e) {
      settings.refuse(
          "model", "must be the path of a config.json of this model (" + e.getMessage() + ")");
      return "";
    }
  }

  /** Chooses bf16 where it is multiplied natively: on other processors it is slower than fp32. */
  private static Precision precision(PrecisionChoice choice, ComputeDevice device) {
    if (choice == PrecisionChoice.AUTO && device == ComputeDevice.CUDA) {
      return Precision.BF16;
    }
    if (choice != PrecisionChoice.AUTO) {
      return choice == PrecisionChoice.BF16 ? Precision.BF16 : Precision.FP32;
    }
    try {
      String flags = Files.readString(Path.of("/proc/cpuinfo")).toLowerCase(Locale.ROOT);
      return flags.contains("avx512_bf16") || flags.contains("amx_bf16")
          ? Precision.BF16
          : Precision.FP32;
    } catch (IOException e) {
      return Precision.FP32;
    }
  }
}
