package org.latentspark.report;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.latentspark.cli.InputException;

/**
 * Everything that a run has left and its report shows.
 *
 * @param directory the run's directory
 * @param rounds what the workers reported
 * @param checkpoints complete or not, oldest first
 * @param state the newest complete checkpoint's {@code trainer_state.json}
 * @param configuration the run's effective configuration
 * @param model what was trained
 * @param grids sample grids in the order of their steps
 * @param prep the dataset, where it is known
 * @param figures further measurements by file, such as {@code vae-figures.json}
 * @param judgements evaluations and comparisons of samplers
 * @param remarks what is missing or damaged
 */
record RunRecord(
    Path directory,
    Rounds rounds,
    List<SavedState> checkpoints,
    JsonNode state,
    JsonNode configuration,
    ModelFacts model,
    List<SampleGrid> grids,
    Optional<PrepFacts> prep,
    Map<String, JsonNode> figures,
    Judgements judgements,
    List<String> remarks) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * Reads the run in {@code directory}.
   *
   * @param dataset the dataset's directory, or "" for the one that the newest checkpoint names
   * @param evaluations folders of further results, besides those in the run's own
   * @throws InputException when {@code directory} holds no run or {@code dataset} no dataset
   */
  static RunRecord read(
      Path directory, String dataset, List<String> evaluations, Configuration hadoop)
      throws IOException {
    RunFiles files = new RunFiles(hadoop);
    if (!files.exists(directory)) {
      throw new InputException("run = " + directory + ": there is no such directory");
    }
    Optional<String> metrics = files.text(new Path(directory, "metrics.jsonl"));
    List<SavedState> checkpoints = SavedState.list(directory, files);
    if (metrics.isEmpty() && checkpoints.isEmpty()) {
      throw new InputException(
          "run = "
              + directory
              + ": has neither metrics.jsonl nor checkpoints/, so it is no run, or its first"
              + " average is still to come");
    }
    Rounds rounds = Rounds.parse(metrics.orElse(""));
    remark(rounds, files);
    Optional<SavedState> newest = SavedState.newest(checkpoints);
    JsonNode state = newest.map(SavedState::state).orElse(MissingNode.getInstance());
    JsonNode configuration = configuration(state);
    Optional<Path> model = newest.isEmpty() ? Optional.empty() : newest.get().model(files);
    return new RunRecord(
        directory,
        rounds,
        checkpoints,
        state,
        configuration,
        model.isEmpty() ? ModelFacts.NONE : ModelFacts.read(model.get(), files),
        SampleGrid.list(directory, files),
        prep(dataset, state, configuration, files),
        figures(directory, files),
        Judgements.read(directory, evaluations, files),
        files.remarks());
  }

  /**
   * Returns what people call the run: the folder of a quickstart's {@code run} tells them apart.
   */
  String name() {
    Path parent = directory.getParent();
    return directory.getName().equals("run") && parent != null && !parent.isRoot()
        ? parent.getName() + "/run"
        : directory.getName();
  }

  /** Returns the number at {@code key} of the configuration, which may hold it as text; else 0. */
  long configuredNumber(String key) {
    return configuration.path(key).asLong();
  }

  private static void remark(Rounds rounds, RunFiles files) {
    if (rounds.repeated() > 0) {
      files.remark(rounds.repeated() + " rounds ran again after a failure; the last try is shown");
    }
    if (rounds.unreadable() > 0) {
      files.remark(rounds.unreadable() + " lines of metrics.jsonl could not be read");
    }
  }

  private static JsonNode configuration(JsonNode state) {
    JsonNode config = state.path("config");
    if (!config.isTextual()) {
      return config;
    }
    try {
      return JSON.readTree(config.asText());
    } catch (JacksonException e) {
      return config;
    }
  }

  private static Optional<PrepFacts> prep(
      String dataset, JsonNode state, JsonNode configuration, RunFiles files) throws IOException {
    if (!dataset.isEmpty()) {
      return Optional.of(PrepFacts.read(new Path(dataset), files));
    }
    for (JsonNode named : List.of(state.path("dataset"), configuration.path("dataset"))) {
      if (named.isTextual() && !named.asText().isEmpty()) {
        try {
          PrepFacts facts = PrepFacts.read(new Path(named.asText()), files);
          String trained = state.path("dataset_fingerprint").asText(facts.fingerprint());
          if (!trained.equals(facts.fingerprint())) {
            files.remark(
                facts.name() + " has changed since the newest checkpoint was trained on it");
          }
          return Optional.of(facts);
        } catch (InputException e) {
          files.remark("The dataset that the run names could not be opened: " + e.getMessage());
          return Optional.empty();
        }
      }
    }
    return Optional.empty();
  }

  private static Map<String, JsonNode> figures(Path directory, RunFiles files) throws IOException {
    Map<String, JsonNode> figures = new TreeMap<>();
    for (FileStatus status : files.list(directory)) {
      String name = status.getPath().getName();
      if (name.endsWith("-figures.json")) {
        figures.put(name, files.json(status.getPath()));
      }
    }
    return figures;
  }
}
