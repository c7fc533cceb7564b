package org.latentspark.retrain;

import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.latentspark.checkpoint.Checkpoints;
import org.latentspark.cli.InputException;
import org.latentspark.cli.Launcher;
import org.latentspark.cli.Settings;
import org.latentspark.cli.UsageException;
import org.latentspark.cli.Verb;
import org.latentspark.retrain.Registry.JudgedModel;
import org.latentspark.tensor.OutputLease;

/** The verb {@code rollback}: puts an earlier model of a registry back into use. */
public final class RollbackJob implements Verb<RollbackJob.Plan> {
  /** The checked configuration: the registry's directory, and the model's id or "". */
  record Plan(String models, String to) {}

  /** Runs the verb and exits with its code. */
  public static void main(String[] arguments) {
    Launcher.main(new RollbackJob(), arguments);
  }

  @Override
  public String name() {
    return "rollback";
  }

  @Override
  public String summary() {
    return "Puts the model that was promoted before, or the one named, back into use.";
  }

  @Override
  public List<String> references() {
    return List.of("org/latentspark/retrain/rollback.conf");
  }

  @Override
  public Plan configure(Settings settings) {
    return new Plan(settings.required("models"), settings.string("to"));
  }

  @Override
  public void run(Plan plan) throws Exception {
    Configuration hadoop = SparkHadoopUtil.get().conf();
    Path models = new Path(plan.models());
    try (OutputLease lease = OutputLease.take(models, hadoop, name())) {
      Registry registry = Registry.read(models, hadoop);
      String id = target(plan, registry);
      JudgedModel model = registry.model(id).orElseThrow();
      Path checkpoint = new Path(models, model.checkpoint());
      if (!Checkpoints.of(checkpoint.getParent().getParent(), hadoop).verifies(checkpoint)) {
        throw new InputException(checkpoint + " is not there any more, or damaged");
      }
      String reason = "rolled back from " + registry.promoted();
      Registry back = registry.using(id, reason, NightRun.now());
      back.write(models, hadoop);
      System.out.println(new Outcome("rolled-back", plan.models(), id, id, reason).told());
    }
  }

  private static String target(Plan plan, Registry registry) {
    String id =
        plan.to().isEmpty()
            ? registry
                .before()
                .orElseThrow(
                    () ->
                        new InputException(
                            plan.models() + " has no model that was promoted before"))
            : plan.to();
    if (registry.model(id).isEmpty() || id.equals(registry.promoted())) {
      List<String> others =
          registry.models().stream()
              .map(JudgedModel::id)
              .filter(other -> !other.equals(registry.promoted()))
              .toList();
      throw new UsageException("to = " + id + ": must be one of " + others);
    }
    return id;
  }
}
