package org.latentspark.train;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.latentspark.averaging.AveragingPlan;
import org.latentspark.averaging.ComputeDevice;
import org.latentspark.averaging.TrainingSize;
import org.latentspark.checkpoint.Checkpoints;
import org.latentspark.cli.Figures;
import org.latentspark.cli.Outline;
import org.latentspark.cli.Settings;
import org.latentspark.graph.Architecture;

/** Tells what a training would take, whatever its model and its data. */
final class RunOutline {
  private final RunSettings run;
  private final AveragingPlan plan;
  private final TrainingSize size;

  RunOutline(RunSettings run, Architecture architecture) {
    this.run = run;
    this.plan = run.plan();
    long parameters = architecture.build(run.modelJson()).parameters().count();
    this.size = new TrainingSize(parameters, plan, run.writing());
  }

  /** Returns the examples of a local step of all workers together. */
  long stepExamples() {
    return (long) run.batchSize() * plan.accumulate() * plan.workers();
  }

  long steps() {
    return plan.rounds() * plan.frequency();
  }

  /** Tells of model, steps, memory, exchange and checkpoints. */
  void tell(Outline outline, Configuration hadoop) throws IOException {
    outline.tell(
        "model",
        "%s parameters, %s a vector of them",
        Figures.whole(size.parameters()),
        Figures.bytes(size.vectorBytes()));
    outline.tell(
        "begins with",
        reached(hadoop)
            .map(Path::toString)
            .orElse(run.initial().isEmpty() ? "random weights" : run.initial()));
    outline.tell(
        "steps",
        "%s of each of %s workers, batches of %s x %s: %s examples a step",
        Figures.whole(steps()),
        Figures.whole(plan.workers()),
        run.batchSize(),
        plan.accumulate(),
        Figures.whole(stepExamples()));
    outline.tell("examples", "%s", Figures.whole(steps() * stepExamples()));
    outline.tell(
        "averages",
        "%s, one in %s steps, in %s segments",
        Figures.whole(plan.rounds()),
        plan.frequency(),
        Figures.whole(segments()));
    memory(outline);
    exchange(outline);
    outline.tell(
        "checkpoint",
        "about %s, every %s steps; with %s kept %s of disk, one under way included%s",
        Figures.bytes(size.checkpointBytes()),
        Figures.whole((long) plan.segmentRounds() * plan.frequency()),
        run.keep(),
        Figures.bytes((double) size.checkpointBytes() * (run.keep() + 1)),
        run.milestoneSteps() == 0
            ? ""
            : "; milestones every %s steps: %s more"
                .formatted(
                    Figures.whole(run.milestoneSteps()),
                    Figures.bytes(
                        (double) size.checkpointBytes() * (steps() / run.milestoneSteps()))));
  }

  private long segments() {
    return (plan.rounds() + plan.segmentRounds() - 1) / plan.segmentRounds();
  }

  private void memory(Outline outline) {
    String vectors = "%d vectors and one for activations".formatted(size.residentVectors());
    if (run.device() == ComputeDevice.CUDA) {
      outline.tell(
          "memory a worker",
          "at least %s of its GPU (%s), %s of the host",
          Figures.bytes(size.workerBytes()),
          vectors,
          Figures.bytes(size.besideGpuBytes()));
    } else {
      outline.tell(
          "memory a worker",
          "at least %s outside of the Java heap (%s)",
          Figures.bytes(size.workerBytes()),
          vectors);
    }
    if (size.copyBytes() > 0) {
      outline.tell(
          "memory of writing",
          "%s more beside the one worker that writes checkpoints",
          Figures.bytes(size.copyBytes()));
    }
    if (size.fileBytes() > 0) {
      outline.tell(
          "files a worker", "%s in averaging.vector-folder", Figures.bytes(size.fileBytes()));
    }
  }

  private void exchange(Outline outline) {
    if (plan.workers() == 1) {
      outline.tell("exchange", "none: one worker");
      return;
    }
    outline.tell(
        "exchange",
        "%s sent by each worker an average (%s), %s at the end of a segment besides; %s in all",
        Figures.bytes(size.exchangeBytes()),
        Settings.kebab(plan.wire()),
        Figures.bytes(size.momentsExchangeBytes()),
        Figures.bytes(
            (double) size.exchangeBytes() * plan.rounds()
                + (double) size.momentsExchangeBytes() * segments()));
  }

  /** The newest complete checkpoint; its checksums are gigabytes, and are left to the run. */
  Optional<Path> reached(Configuration hadoop) throws IOException {
    Checkpoints checkpoints = Checkpoints.of(new Path(run.output()), hadoop);
    List<Path> found = checkpoints.list();
    for (int i = found.size() - 1; i >= 0; i--) {
      if (checkpoints.isWhole(found.get(i))) {
        return Optional.of(found.get(i));
      }
    }
    return Optional.empty();
  }
}
