package org.latentspark.train;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.latentspark.averaging.RoundReport;
import org.latentspark.events.EventFiles;
import org.latentspark.events.Histogram;

/** What a run shows in TensorBoard: the figures of each round, by step, and the sample grids. */
final class RunEvents {
  private final Path run;
  private final EventFiles files;

  /** Goes on with the events of the run at {@code run} after {@code steps} steps. */
  RunEvents(Path run, Configuration configuration, long steps) throws IOException {
    this.run = run;
    files = new EventFiles(run, configuration, steps);
  }

  void add(RoundReport report) {
    Map<String, Double> values = new LinkedHashMap<>();
    values.put("loss/train", report.loss());
    if (report.validationLoss() != null) {
      values.put("loss/validation", report.validationLoss());
    }
    values.put("optimizer/learning_rate", report.learningRate());
    values.put("optimizer/gradient_norm", report.gradientNorm());
    values.put("speed/examples_per_second", report.examplesPerSecond());
    values.put("speed/examples", (double) report.examples());
    values.put("time/data_share", report.dataShare());
    values.put("time/forward_share", report.lossShare());
    values.put("time/backward_share", report.backwardShare());
    values.put("time/optimizer_share", report.optimizerShare());
    values.put("time/exchange_share", report.exchangeShare());
    values.put("memory/resident_mebibytes", report.residentMebibytes());
    try {
      files.scalars(report.step(), values);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot write the events of " + run, e);
    }
  }

  /** Shows the grid that a checkpoint drew. */
  void grid(long step, BufferedImage grid) throws IOException {
    files.image(step, "samples/grid", grid);
  }

  /** Shows how the weights of a checkpoint are spread, and the gradients that led there. */
  void histograms(long step, Map<String, Histogram> histograms) throws IOException {
    files.histograms(step, histograms);
  }

  /** Writes what is not on disk yet. */
  void flush() {
    try {
      files.flush();
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot write the events of " + run, e);
    }
  }

  /** Drops what came after {@code steps} steps and writes the rest. */
  void keep(long steps) throws IOException {
    files.takeBack(steps);
  }
}
