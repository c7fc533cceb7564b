package org.latentspark.report;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.latentspark.cli.Launcher;
import org.latentspark.cli.Settings;
import org.latentspark.cli.Verb;
import org.latentspark.tensor.FileSystems;

/** The verb {@code report}: writes a run's page, {@code <run>/report/index.html}. */
public final class ReportJob implements Verb<ReportJob.Plan> {
  static final String REFERENCE = "org/latentspark/report/reference.conf";

  /**
   * The checked configuration.
   *
   * @param run the run's directory
   * @param dataset the dataset's directory, or "" for the one that the run names
   * @param output the directory of the page
   */
  record Plan(String run, String dataset, String output) {}

  /** Runs the verb and exits with its code. */
  public static void main(String[] arguments) {
    System.setProperty("java.awt.headless", "true");
    Launcher.main(new ReportJob(), arguments);
  }

  @Override
  public String name() {
    return "report";
  }

  @Override
  public String summary() {
    return "Writes a run's report: one page with its curves, samples, data and configuration.";
  }

  @Override
  public List<String> references() {
    return List.of(REFERENCE);
  }

  @Override
  public Plan configure(Settings settings) {
    String run = settings.required("run");
    String output = settings.string("output");
    return new Plan(run, settings.string("dataset"), output.isEmpty() ? run + "/report" : output);
  }

  @Override
  public void run(Plan plan) throws IOException {
    Path page = write(plan, SparkHadoopUtil.get().conf());
    System.out.println("report: " + page);
  }

  /**
   * Writes the page of the run at {@code run} to {@code <run>/report/index.html} and returns its
   * path.
   *
   * @param dataset the dataset's directory, or "" for the one that the run's newest checkpoint
   *     names
   * @throws org.latentspark.cli.InputException when there is no such run or dataset
   */
  public static Path write(String run, String dataset, Configuration configuration)
      throws IOException {
    return write(new Plan(run, dataset, run + "/report"), configuration);
  }

  private static Path write(Plan plan, Configuration configuration) throws IOException {
    RunRecord run = RunRecord.read(new Path(plan.run()), plan.dataset(), configuration);
    Path page = new Path(plan.output(), "index.html");
    try (OutputStream out = FileSystems.of(page, configuration).create(page, true)) {
      out.write(Page.of(run).getBytes(StandardCharsets.UTF_8));
    }
    return page;
  }
}
