package org.latentspark.quickstart;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.latentspark.cli.Launcher;
import org.latentspark.cli.Settings;
import org.latentspark.cli.Verb;
import org.latentspark.latents.Manifest;
import org.latentspark.prep.PrepJob;
import org.latentspark.prep.StaticFileServer;
import org.latentspark.report.ReportJob;
import org.latentspark.sample.SampleJob;
import org.latentspark.train.TrainJob;

/**
 * The verb {@code quickstart}: runs prep, train, sample and report on the sample pairs, whose
 * pictures it serves itself on a loopback port.
 */
public final class Quickstart implements Verb<Quickstart.Plan> {
  private static final String SAMPLE_URLS = "http://127.0.0.1:8765/";

  /** The checked configuration: the repository, the preset's folder, the output. */
  record Plan(Path home, Path preset, Path output) {}

  private Quickstart() {}

  /** Runs the verb and exits with its code. */
  public static void main(String[] arguments) {
    Launcher.main(new Quickstart(), arguments);
  }

  @Override
  public String name() {
    return "quickstart";
  }

  @Override
  public String summary() {
    return "Serves the sample pictures on this machine, then prepares, trains, draws and reports.";
  }

  @Override
  public List<String> references() {
    return List.of("org/latentspark/quickstart/reference.conf");
  }

  @Override
  public Plan configure(Settings settings) {
    Path home = Path.of(System.getenv().getOrDefault("LATENTSPARK_HOME", "")).toAbsolutePath();
    String name = settings.required("preset");
    Path preset = home.resolve("conf").resolve(name);
    if (!Files.exists(preset.resolve("train.conf"))) {
      settings.refuse("preset", "a folder of " + home.resolve("conf") + " with a train.conf");
    }
    String output = settings.string("output");
    return new Plan(
        home, preset, Path.of(output.isEmpty() ? "runs/" + name : output).toAbsolutePath());
  }

  @Override
  public void run(Plan plan) throws IOException {
    long start = System.nanoTime();
    Path sample = plan.home().resolve("data-prep/sample");
    Path encoders = plan.home().resolve("encoders");
    Path dataset = plan.output().resolve("dataset");
    Path run = plan.output().resolve("run");
    Path pictures = plan.output().resolve("pictures");
    if (Files.exists(dataset.resolve(Manifest.FILE_NAME))) {
      System.out.println("1/4 prep: " + dataset + " is complete already");
    } else {
      System.out.println("1/4 prep: pictures and captions to latents and embeddings");
      try (StaticFileServer server = StaticFileServer.start(sample, 0)) {
        verb(
            new PrepJob(),
            plan.preset().resolve("prep.conf"),
            "source=" + sample.resolve("metadata.parquet"),
            "subset=" + plan.preset().resolve("subset.txt"),
            "encoders=" + encoders,
            "output=" + dataset,
            "fetch.allow-private-addresses=true",
            "fetch.rewrite-from=" + SAMPLE_URLS,
            "fetch.rewrite-to=" + server.url());
      }
    }
    System.out.println("2/4 train: two workers, averaging their parameters");
    verb(
        new TrainJob(),
        plan.preset().resolve("train.conf"),
        "model=" + plan.preset().resolve("unet.json"),
        "dataset=" + dataset,
        "encoders=" + encoders,
        "output=" + run);
    System.out.println("3/4 sample: prompts to pictures");
    verb(
        new SampleJob(),
        plan.preset().resolve("sample.conf"),
        "checkpoint=" + run,
        "encoders=" + encoders,
        "output=" + pictures,
        "existing=replace");
    System.out.println("4/4 report");
    verb(new ReportJob(), null, "run=" + run, "dataset=" + dataset);
    System.out.printf(
        Locale.ROOT,
        "%nDone in %.1f minutes.%n  pictures  %s%n  report    %s%n",
        (System.nanoTime() - start) / 60e9,
        pictures.resolve("grid.png"),
        run.resolve("report/index.html"));
  }

  private static void verb(Verb<?> verb, Path configuration, String... overrides)
      throws IOException {
    List<String> arguments = new ArrayList<>();
    if (configuration != null) {
      arguments.add("--conf");
      arguments.add(configuration.toString());
    }
    arguments.addAll(List.of(overrides));
    int code = Launcher.run(verb, arguments.toArray(new String[0]));
    if (code != 0) {
      throw new IOException(verb.name() + " ended with code " + code + "; see above");
    }
  }
}
