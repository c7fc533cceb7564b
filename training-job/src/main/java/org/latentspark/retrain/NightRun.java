package org.latentspark.retrain;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.latentspark.checkpoint.CheckpointStore;
import org.latentspark.checkpoint.Checkpoints;
import org.latentspark.cli.InputException;
import org.latentspark.cli.RunId;
import org.latentspark.cli.Settings;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.Split;
import org.latentspark.retrain.Night.Stage;
import org.latentspark.retrain.Registry.Figure;
import org.latentspark.retrain.Registry.JudgedModel;
import org.latentspark.tensor.CompleteFile;
import org.latentspark.tensor.FileSystems;

/** One night, from the stage in which the last run died or from the first; holds the lease. */
final class NightRun {
  private static final String RUNS = "runs";
  private static final String EVALUATION = "evaluation";

  private final RetrainSettings settings;
  private final Configuration hadoop;
  private final Path models;

  NightRun(RetrainSettings settings, Configuration hadoop) {
    this.settings = settings;
    this.hadoop = hadoop;
    this.models = new Path(settings.models());
  }

  Outcome run() throws Exception {
    Registry registry = Registry.read(models, hadoop);
    Optional<Night> unfinished = Night.unfinished(models, registry, hadoop);
    Night night = unfinished.orElseGet(() -> Night.next(registry));
    unfinished.ifPresent(
        found -> System.out.printf("Going on with model %s at %s%n", found.id(), found.stage()));
    if (night.stage() == Stage.PREP) {
      night.write(models, hadoop);
      stage(1, "prep");
      settings.prep().run(encoders(), "output=" + settings.dataset(), "existing=append");
      long fresh = newPairs(registry);
      if (registry.promoted() != null && fresh < settings.minNewPairs()) {
        Night.end(models, hadoop);
        String reason =
            "%d new training pairs since the last night; min-new-pairs is %d"
                .formatted(fresh, settings.minNewPairs());
        return new Outcome("nothing-new", settings.models(), null, registry.promoted(), reason);
      }
      night = begin(night, Stage.TRAIN);
    }
    if (night.stage() == Stage.TRAIN) {
      stage(2, "train");
      train(night, registry);
      night = begin(night, Stage.EVALUATE);
    }
    stage(3, "evaluate");
    JudgedModel judged = judge(night, registry);
    Registry grown = registry.with(judged, heldOutVersion(registry, judged.datasetVersion()));
    grown.write(models, hadoop);
    Night.end(models, hadoop);
    removeOldRuns(grown);
    return new Outcome(
        judged.promoted() ? "promoted" : "kept",
        settings.models(),
        judged.id(),
        grown.promoted(),
        judged.reason());
  }

  private static void stage(int number, String name) {
    System.out.printf("%d/3 %s%n", number, name);
  }

  private Night begin(Night night, Stage stage) throws IOException {
    Night next = night.at(stage);
    next.write(models, hadoop);
    return next;
  }

  /** Counts the training pairs that no earlier model was trained on. */
  private long newPairs(Registry registry) throws IOException {
    Path dataset = new Path(settings.dataset());
    long all = LatentDataset.open(dataset, hadoop).manifest().rows(Split.TRAIN);
    if (registry.newest().isEmpty()) {
      return all;
    }
    int seen = registry.newest().get().datasetVersion();
    return all - LatentDataset.open(dataset, seen, hadoop).manifest().rows(Split.TRAIN);
  }

  private void train(Night night, Registry registry) throws Exception {
    String initial =
        night.initial() == null
            ? ""
            : new Path(models, registry.model(night.initial()).orElseThrow().checkpoint())
                .toString();
    settings
        .train()
        .run(
            encoders(),
            "dataset=" + settings.dataset(),
            "output=" + run(night.id()),
            "initial=" + initial);
  }

  private JudgedModel judge(Night night, Registry registry) throws Exception {
    Path checkpoint =
        Checkpoints.of(run(night.id()), hadoop)
            .latest()
            .orElseThrow(() -> new InputException(run(night.id()) + " has no complete checkpoint"));
    int version =
        CheckpointStore.recorded(checkpoint, "dataset_version", hadoop)
            .map(Integer::parseInt)
            .orElseThrow();
    int heldOut = heldOutVersion(registry, version);
    JsonNode evaluation = evaluate(night.id(), checkpoint, heldOut);
    Figure candidate = settings.figure().of(evaluation);
    boolean promoted = true;
    String reason = "the first model";
    if (registry.inUse().isPresent()) {
      JudgedModel used = registry.inUse().get();
      Figure known = settings.figure().of(comparable(used, evaluation, heldOut));
      promoted = settings.figure().gain(candidate, known) > DecidingFigure.margin(candidate, known);
      reason = settings.figure().compare(candidate, known, used.id());
    }
    return new JudgedModel(
        night.id(),
        RUNS + "/" + night.id() + "/checkpoints/" + checkpoint.getName(),
        night.initial(),
        version,
        Settings.kebab(settings.figure()),
        candidate,
        promoted,
        reason,
        now(),
        RunId.here());
  }

  /** Returns the version whose held-out pairs are the measure: the one of the first model. */
  private static int heldOutVersion(Registry registry, int version) {
    return registry.newest().isEmpty() ? version : registry.heldOutVersion();
  }

  /** Returns the evaluation of the model in use, made anew if it was another measurement. */
  private JsonNode comparable(JudgedModel used, JsonNode candidate, int heldOut) throws Exception {
    Optional<JsonNode> known = evaluation(used.id());
    if (known.isPresent() && measurement(known.get()).equals(measurement(candidate))) {
      return known.get();
    }
    System.out.println("Measuring " + used.id() + " anew: evaluate's settings or data changed");
    return evaluate(used.id(), new Path(models, used.checkpoint()), heldOut);
  }

  /** Returns what makes two evaluations comparable. */
  private static JsonNode measurement(JsonNode evaluation) {
    ObjectNode origin = Registry.JSON.createObjectNode();
    origin.set("fingerprints", evaluation.required("fingerprints"));
    ObjectNode config = evaluation.required("config").deepCopy();
    config.remove(List.of("checkpoint", "output", "reference", "dataset", "encoders", "threads"));
    origin.set("config", config);
    return origin;
  }

  private JsonNode evaluate(String id, Path checkpoint, int heldOut) throws Exception {
    settings
        .evaluate()
        .run(
            encoders(),
            "checkpoint=" + checkpoint,
            "dataset=" + settings.dataset(),
            "version=" + heldOut,
            "output=" + new Path(run(id), EVALUATION),
            "reference=" + new Path(models, "reference"));
    return evaluation(id).orElseThrow();
  }

  private Optional<JsonNode> evaluation(String id) throws IOException {
    Path file = new Path(run(id), EVALUATION + "/evaluation.json");
    Optional<byte[]> json = CompleteFile.find(file, hadoop);
    return json.isEmpty() ? Optional.empty() : Optional.of(Registry.JSON.readTree(json.get()));
  }

  /** Removes the runs of older models; the one in use and those it can be rolled back to stay. */
  private void removeOldRuns(Registry registry) throws IOException {
    Set<String> stay = new TreeSet<>(Set.of(registry.promoted()));
    registry.before().ifPresent(stay::add);
    List<JudgedModel> judged = registry.models();
    judged
        .subList(Math.max(0, judged.size() - settings.keep()), judged.size())
        .forEach(model -> stay.add(model.id()));
    FileSystem fileSystem = FileSystems.of(models, hadoop);
    for (FileStatus run : fileSystem.listStatus(new Path(models, RUNS))) {
      if (!stay.contains(run.getPath().getName())) {
        fileSystem.delete(run.getPath(), true);
        System.out.println("Removed the run of " + run.getPath().getName());
      }
    }
  }

  private Path run(String id) {
    return new Path(models, RUNS + "/" + id);
  }

  private String encoders() {
    return "encoders=" + settings.encoders();
  }

  static String now() {
    return Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
  }
}
