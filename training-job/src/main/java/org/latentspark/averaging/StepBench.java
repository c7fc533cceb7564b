package org.latentspark.averaging;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.bytedeco.javacpp.PointerScope;
import org.latentspark.cli.Launcher;
import org.latentspark.cli.Peer;
import org.latentspark.cli.Settings;
import org.latentspark.cli.Verb;
import org.latentspark.graph.Architecture;
import org.latentspark.graph.TorchGraphs;
import org.latentspark.model.ModelDirectory;
import org.latentspark.tensor.Natives;
import org.latentspark.tensor.Precision;
import org.latentspark.tensor.SafetensorsWriter;
import org.nd4j.linalg.learning.config.NoOp;

/**
 * The benchmark {@code step}: training steps of a U-Net with Stable Diffusion 1.5's topology at a
 * quarter of its width, beside diffusers on PyTorch with the same weights, batch and threads.
 *
 * <p>What counts is processor time, of all threads, so that other work on the machine does not.
 */
public final class StepBench implements Verb<StepBench.Plan> {
  private static final double BUDGET = 0.8;
  private static final int PEER_MINUTES = 60;
  private static final long SEED = 2026;
  private static final int TEXT_WIDTH = 192;

  /** What is run. */
  record Plan(
      Precision precision,
      int batchSize,
      int latents,
      int threads,
      int steps,
      int rounds,
      Peer peer) {}

  /** A side's round: seconds a step, and the process' greatest resident memory so far. */
  private record Round(double loss, double processor, double wall, double peakMebibytes) {}

  /** Runs the benchmark. */
  public static void main(String[] arguments) {
    Launcher.main(new StepBench(), arguments);
  }

  @Override
  public String name() {
    return "bench step";
  }

  @Override
  public String summary() {
    return "Makes training steps of a U-Net beside diffusers.";
  }

  @Override
  public List<String> references() {
    return List.of(BenchBatch.FOLDER + "bench-step.conf");
  }

  @Override
  public Plan configure(Settings settings) {
    return new Plan(
        settings.oneOf("precision", Precision.class),
        settings.integer("batch-size", 1, 1024),
        settings.integer("latents", 8, 128),
        settings.integer("threads", 1, 1024),
        settings.integer("steps", 1, 10_000),
        settings.integer("rounds", 1, 100),
        Peer.read(settings, "torch==2.10.0, diffusers==0.42.0 and safetensors"));
  }

  @Override
  public void run(Plan plan) throws Exception {
    Natives.operationThreads(plan.threads());
    Path folder = Files.createTempDirectory("bench-step");
    try (PointerScope scope = new PointerScope();
        Replica replica = replica(plan)) {
      replica.model().parameters().initialize(SEED);
      System.out.printf("A U-Net of %,d parameters%n", replica.values().numel());
      BenchBatch batch = BenchBatch.draw(plan.batchSize(), plan.latents(), TEXT_WIDTH, SEED);
      save(replica, batch, folder);
      double ours = 0;
      double peers = 0;
      for (int round = 1; round <= plan.rounds(); round++) {
        Round our = round(replica, batch, plan, (long) (round - 1) * (plan.steps() + 1));
        Round peer = peerRound(plan, folder);
        if (round == 1 && Math.abs(our.loss() / peer.loss() - 1) > 0.02) {
          throw new IllegalStateException(
              "The first losses differ: " + our.loss() + " and " + peer.loss());
        }
        System.out.printf(
            "round %d: LatentSpark %.3f s (wall clock %.3f), diffusers %.3f s (%.3f) a step;"
                + " peak memory %.0f and %.0f MiB%n",
            round,
            our.processor(),
            our.wall(),
            peer.processor(),
            peer.wall(),
            our.peakMebibytes(),
            peer.peakMebibytes());
        ours += our.processor();
        peers += peer.processor();
      }
      System.out.println(Peer.result("step", ours / peers, BUDGET));
    } finally {
      delete(folder);
    }
  }

  private static Replica replica(Plan plan) {
    return new Replica(
        TorchGraphs.configuration(Architecture.UNET, BenchBatch.unet(), SEED, new NoOp()),
        new AveragingPlan(
            1,
            1,
            1,
            1,
            LearningRate.constant(1e-4),
            new InnerOptimizer.AdamWSettings(0.9, 0.999, 1e-8, 0.01, Decay.ALL),
            1,
            0.999,
            1,
            plan.precision(),
            plan.threads(),
            Duration.ofMinutes(1)));
  }

  private static void save(Replica replica, BenchBatch batch, Path folder) throws IOException {
    new ModelDirectory(new org.apache.hadoop.fs.Path(folder.toUri()), new Configuration())
        .save(replica.model(), ModelDirectory.Layout.DIFFUSERS);
    try (OutputStream out = Files.newOutputStream(folder.resolve("batch.safetensors"))) {
      SafetensorsWriter.write(
          out,
          Map.of(
              "noisy", batch.noisy(),
              "noise", batch.noise(),
              "timesteps", batch.timesteps(),
              "text", batch.text()));
    }
  }

  private static Round round(Replica replica, BenchBatch batch, Plan plan, long first) {
    Objective.Session session = batch.on(replica.model());
    double[] processor = new double[plan.steps()];
    double[] wall = new double[plan.steps()];
    double loss = 0;
    for (int step = 0; step <= plan.steps(); step++) {
      long processorStart = Peer.processorNanos();
      long start = System.nanoTime();
      Replica.Step made = replica.step(session, first + step, first + step);
      if (step == 0) {
        loss = made.loss();
      } else {
        wall[step - 1] = (System.nanoTime() - start) / 1e9;
        processor[step - 1] = (Peer.processorNanos() - processorStart) / 1e9;
      }
    }
    return new Round(loss, median(processor), median(wall), ResidentMemory.peakMebibytes());
  }

  private static Round peerRound(Plan plan, Path folder) throws Exception {
    String line =
        plan.peer()
            .run(
                BenchBatch.FOLDER + "bench_step_diffusers.py",
                PEER_MINUTES,
                List.of(
                    folder.toString(),
                    folder.resolve("batch.safetensors").toString(),
                    plan.precision() == Precision.FP32 ? "fp32" : "bf16",
                    Integer.toString(plan.threads()),
                    Integer.toString(plan.steps())));
    double[] told = Stream.of(line.split(":")).mapToDouble(Double::parseDouble).toArray();
    return new Round(told[0], told[1], told[2], told[3]);
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }
}
