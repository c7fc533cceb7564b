package org.latentspark.sample;

import java.io.IOException;
import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;
import org.latentspark.cli.Launcher;
import org.latentspark.cli.Settings;
import org.latentspark.cli.Verb;

/** The verb {@code sample}: pictures for prompts from a checkpoint, and one labelled grid. */
public final class SampleJob implements Verb<SampleSettings> {
  /** Runs the verb. */
  public static void main(String[] arguments) {
    System.setProperty("java.awt.headless", "true");
    Launcher.main(new SampleJob(), arguments);
  }

  @Override
  public String name() {
    return "sample";
  }

  @Override
  public String summary() {
    return "Draws pictures for prompts from a checkpoint.";
  }

  @Override
  public List<String> references() {
    return List.of(DrawKeys.REFERENCE, "org/latentspark/sample/reference.conf");
  }

  @Override
  public SampleSettings configure(Settings settings) {
    return SampleSettings.read(settings);
  }

  @Override
  public void run(SampleSettings settings) throws IOException {
    SparkConf conf =
        new SparkConf()
            .setIfMissing("spark.master", "local[2]")
            .setIfMissing("spark.app.name", "latentspark sample")
            .setIfMissing("spark.ui.showConsoleProgress", "false");
    try (SparkSession spark = SparkSession.builder().config(conf).getOrCreate()) {
      new SampleRun(spark, settings).run();
    }
  }
}
