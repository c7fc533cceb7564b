package org.latentspark.retrain;

import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.latentspark.cli.HeldException;
import org.latentspark.cli.Launcher;
import org.latentspark.cli.Outline;
import org.latentspark.cli.Settings;
import org.latentspark.cli.Verb;
import org.latentspark.cli.VerbSession;
import org.latentspark.latents.LatentDataset;
import org.latentspark.tensor.OutputLease;
import org.latentspark.train.Jobs;

/**
 * The verb {@code retrain}: encodes new pairs, trains on from the promoted model, judges the
 * candidate and promotes it if it is better.
 */
public final class RetrainJob implements Verb<RetrainSettings> {
  /** Makes the verb; {@link #main} runs it. */
  public RetrainJob() {}

  /** Runs the verb and exits with its code. */
  public static void main(String[] arguments) {
    System.setProperty("java.awt.headless", "true");
    Launcher.main(new RetrainJob(), arguments);
  }

  @Override
  public String name() {
    return "retrain";
  }

  @Override
  public String summary() {
    return "Encodes new pairs, trains on from the promoted model and promotes a better one; goes on"
        + " where a killed run stopped.";
  }

  @Override
  public List<String> references() {
    return List.of(RetrainSettings.REFERENCE);
  }

  @Override
  public RetrainSettings configure(Settings settings) {
    return RetrainSettings.read(settings);
  }

  @Override
  public void outline(RetrainSettings settings, Outline outline) throws Exception {
    Configuration hadoop = SparkHadoopUtil.get().conf();
    Registry registry = Registry.read(new Path(settings.models()), hadoop);
    Night.unfinished(new Path(settings.models()), registry, hadoop)
        .ifPresent(
            night -> outline.tell("goes on", "with model %s at %s", night.id(), night.stage()));
    outline.tell(
        "models",
        "%s: %d judged, %s in use",
        settings.models(),
        registry.models().size(),
        registry.promoted() == null ? "none" : registry.promoted());
    outline.part("prep");
    settings
        .prep()
        .outline(
            outline,
            "encoders=" + settings.encoders(),
            "output=" + settings.dataset(),
            "existing=append");
    outline.part("train");
    if (LatentDataset.exists(new Path(settings.dataset()), hadoop)) {
      settings
          .train()
          .outline(
              outline,
              "encoders=" + settings.encoders(),
              "output=" + settings.models() + "/runs/next",
              "dataset=" + settings.dataset());
    } else {
      outline.tell("data set", "none yet: its sizes are told once prep has made it");
    }
    outline.part("evaluate");
    outline.tell(
        "promotion",
        "of a model whose %s is better than that in use by more than the intervals",
        Settings.kebab(settings.figure()));
  }

  @Override
  public void run(RetrainSettings settings) throws Exception {
    Notifier notifier = Notifier.of(settings, System.getenv());
    try {
      Outcome outcome = night(settings);
      System.out.println(outcome.told());
      notifier.tell(outcome);
    } catch (HeldException e) {
      // The run that holds the models tells of itself.
      throw e;
    } catch (Exception e) {
      notifier.tell(Outcome.failed(settings.models(), e));
      throw e;
    }
  }

  /** Runs the stages in one Spark session, of which each would else begin and end its own. */
  private Outcome night(RetrainSettings settings) throws Exception {
    try (VerbSession session = VerbSession.open(Jobs.settings(name()))) {
      Configuration hadoop = session.spark().sparkContext().hadoopConfiguration();
      try (OutputLease lease = OutputLease.take(new Path(settings.models()), hadoop, name())) {
        return new NightRun(settings, hadoop).run();
      }
    }
  }
}
