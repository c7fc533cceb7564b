package org.latentspark.doctor;

import java.io.IOException;
import java.io.Serializable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.latentspark.averaging.Slots;
import org.latentspark.cli.Launcher;
import org.latentspark.cli.Settings;
import org.latentspark.cli.Verb;
import org.latentspark.cli.VerbSession;

/** The verb {@code doctor}: checks driver, executors and stores, and says what to fix. */
public final class DoctorJob implements Verb<DoctorSettings> {
  private static final String TESTED_SPARK = "3.5.";
  private static final int TASKS_A_SLOT = 4;

  /** Runs the verb and exits with its code. */
  public static void main(String[] arguments) {
    Launcher.main(new DoctorJob(), arguments);
  }

  @Override
  public String name() {
    return "doctor";
  }

  @Override
  public String summary() {
    return "Checks this machine, the cluster and the stores before a job needs them, and says what"
        + " to fix.";
  }

  @Override
  public List<String> references() {
    return List.of("org/latentspark/doctor/reference.conf");
  }

  @Override
  public DoctorSettings configure(Settings settings) {
    return DoctorSettings.read(settings);
  }

  @Override
  public void run(DoctorSettings settings) throws IOException {
    List<Finding> findings;
    try (VerbSession session = VerbSession.open(VerbSession.settings(name()))) {
      findings = findings(session.spark(), settings);
    }
    findings.forEach(finding -> System.out.println(finding.line()));
    long faults = findings.stream().filter(finding -> !finding.sound()).count();
    if (faults > 0) {
      throw new IOException(faults + " of " + findings.size() + " checks failed; see above");
    }
    System.out.println("All " + findings.size() + " checks passed");
  }

  static List<Finding> findings(SparkSession session, DoctorSettings settings) {
    JavaSparkContext spark = new JavaSparkContext(session.sparkContext());
    List<Finding> findings = new ArrayList<>();
    findings.add(
        Finding.of(
            spark.version().startsWith(TESTED_SPARK),
            "Spark",
            "version " + spark.version() + ", master " + spark.master(),
            "Use Spark 3.5 for Scala 2.12"));
    findings.addAll(HostCheck.run(settings, "driver", spark.getConf()));
    int slots = new Slots(spark).await(settings.workers(), settings.patience());
    findings.add(
        Finding.of(
            slots >= settings.workers(),
            "cluster",
            slots + " task slots at once",
            "workers asks for "
                + settings.workers()
                + ": add executors or cores, or lower workers"));
    findings.addAll(executors(spark, settings, slots));
    Configuration hadoop = spark.hadoopConfiguration();
    settings.paths().forEach(path -> findings.addAll(PathCheck.run(path, hadoop, settings)));
    return findings;
  }

  /**
   * Checks each executor once, as far as tasks reach it; a local master has none but the driver.
   */
  private static List<Finding> executors(
      JavaSparkContext spark, DoctorSettings settings, int slots) {
    if (spark.sc().isLocal() || slots == 0) {
      return List.of();
    }
    long driver = System.currentTimeMillis();
    List<Integer> tasks = IntStream.range(0, slots * TASKS_A_SLOT).boxed().toList();
    List<HostReport> reports =
        spark.parallelize(tasks, tasks.size()).map(task -> HostReport.here(settings)).collect();
    long passed = System.currentTimeMillis() - driver;
    List<Finding> findings = new ArrayList<>();
    List<String> seen = new ArrayList<>();
    for (HostReport report : reports) {
      if (!seen.contains(report.executor())) {
        seen.add(report.executor());
        findings.addAll(report.findings());
        findings.add(report.clock(driver, passed, settings.clockSkew()));
      }
    }
    return findings;
  }

  /** What an executor found, and its time. */
  private record HostReport(String executor, long millis, ArrayList<Finding> findings)
      implements Serializable {
    private static final long serialVersionUID = 1;

    static HostReport here(DoctorSettings settings) {
      SparkEnv spark = SparkEnv.get();
      String executor = "executor " + spark.executorId();
      return new HostReport(
          executor,
          System.currentTimeMillis(),
          new ArrayList<>(HostCheck.run(settings, executor, spark.conf())));
    }

    Finding clock(long driver, long passed, Duration skew) {
      long off = Math.max(0, Math.max(driver - millis, millis - driver - passed));
      return Finding.of(
          off <= skew.toMillis(),
          executor,
          "its clock is off by " + off / 1000 + " s",
          "clock-skew allows " + skew.toSeconds() + " s: set up NTP there");
    }
  }
}
