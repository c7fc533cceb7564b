package org.latentspark.report;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.latentspark.cli.Launcher;
import org.latentspark.cli.Settings;
import org.latentspark.cli.Verb;
import org.latentspark.tensor.CompleteFile;

/**
 * The verb {@code report}: writes a page on a run, {@code <run>/report/index.html}, or on several
 * side by side; or serves it while they go on.
 */
public final class ReportJob implements Verb<ReportJob.Plan> {
  private static final int MOST_RUNS = 6;

  static final String REFERENCE = "org/latentspark/report/reference.conf";

  /**
   * The checked configuration.
   *
   * @param runs the runs' directories
   * @param dataset the dataset's directory, or "" for the one that each run names
   * @param evaluations folders of further results
   * @param output the directory of the page
   * @param serve whether the page is served instead of written
   * @param host where it is served
   * @param port where it is served; 0 for any that is free
   */
  record Plan(
      List<String> runs,
      String dataset,
      List<String> evaluations,
      String output,
      boolean serve,
      String host,
      int port) {}

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
    String run = settings.string("run");
    List<String> runs = new ArrayList<>(settings.strings("runs"));
    if (!run.isEmpty()) {
      runs.add(0, run);
    }
    if (runs.isEmpty()) {
      settings.refuse("run", "is required, or runs for several side by side");
    }
    if (runs.size() > MOST_RUNS) {
      settings.refuse(
          "runs", "must name at most " + MOST_RUNS + " with run: more cannot be told apart");
    }
    String output = settings.string("output");
    return new Plan(
        runs,
        settings.string("dataset"),
        settings.strings("evaluations"),
        output.isEmpty() && !runs.isEmpty() ? runs.get(0) + "/report" : output,
        settings.flag("serve.on"),
        settings.string("serve.host"),
        settings.integer("serve.port", 0, 65535));
  }

  @Override
  public void run(Plan plan) throws IOException, InterruptedException {
    Configuration configuration = SparkHadoopUtil.get().conf();
    if (plan.serve()) {
      try (ReportServer server =
          ReportServer.start(
              plan.host(), plan.port(), () -> page(plan, configuration, Page.Use.SERVED))) {
        System.out.println("report: " + server.address() + " until Ctrl-C");
        server.await();
      }
      return;
    }
    System.out.println("report: " + write(plan, configuration));
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
    return write(
        new Plan(List.of(run), dataset, List.of(), run + "/report", false, "", 0), configuration);
  }

  private static Path write(Plan plan, Configuration configuration) throws IOException {
    String html = page(plan, configuration, Page.Use.FILE);
    Path page = new Path(plan.output(), "index.html");
    CompleteFile.write(page, html.getBytes(StandardCharsets.UTF_8), configuration);
    return page;
  }

  private static String page(Plan plan, Configuration configuration, Page.Use use)
      throws IOException {
    List<RunRecord> runs = new ArrayList<>();
    for (String run : plan.runs()) {
      runs.add(RunRecord.read(new Path(run), plan.dataset(), plan.evaluations(), configuration));
    }
    return Page.of(runs, use);
  }
}
