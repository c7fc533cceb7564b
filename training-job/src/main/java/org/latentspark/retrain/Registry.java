package org.latentspark.retrain;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.latentspark.cli.InputException;
import org.latentspark.tensor.CompleteFile;

/**
 * What {@code registry.json} says: every model that was judged, and which of them is in use.
 *
 * @param format of the file
 * @param promoted id of the model in use; null before the first
 * @param heldOutVersion version of the data set whose held-out pairs are the measure
 * @param models in the order in which they were judged
 * @param history each change of {@code promoted}, the earliest first
 */
record Registry(
    int format,
    String promoted,
    int heldOutVersion,
    List<JudgedModel> models,
    List<Promotion> history) {
  static final String FILE_NAME = "registry.json";
  static final ObjectMapper JSON =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .enable(SerializationFeature.INDENT_OUTPUT)
          .build();
  private static final int FORMAT = 1;

  /**
   * A model that was trained and judged.
   *
   * @param checkpoint its directory, relative to the registry's
   * @param initial id of the model whose weights it began with; null for random ones
   * @param datasetVersion version of the data set that it was trained on
   * @param figure name of the figure that decided
   * @param reason why it was promoted or kept back
   * @param finished when it was judged
   * @param run name of the run that judged it; null where it is not known
   */
  record JudgedModel(
      String id,
      String checkpoint,
      String initial,
      int datasetVersion,
      String figure,
      Figure measured,
      boolean promoted,
      String reason,
      String finished,
      String run) {}

  /** A figure with its interval of 95 %. */
  record Figure(double value, double low, double high) {}

  /**
   * A change of the model in use.
   *
   * @param model id of the model that came into use
   * @param insteadOf id of the one before; null for the first
   */
  record Promotion(String model, String insteadOf, String reason, String at) {}

  static Registry empty() {
    return new Registry(FORMAT, null, 0, List.of(), List.of());
  }

  /**
   * Reads the registry of a directory; an empty one where there is none.
   *
   * @throws InputException when it cannot be understood
   */
  static Registry read(Path directory, Configuration hadoop) throws IOException {
    Path file = new Path(directory, FILE_NAME);
    Registry registry;
    try {
      registry = JSON.readValue(CompleteFile.read(file, hadoop), Registry.class);
    } catch (FileNotFoundException e) {
      return empty();
    } catch (JsonProcessingException e) {
      throw new InputException(file + " is damaged: " + e.getOriginalMessage(), e);
    }
    if (registry.format != FORMAT) {
      throw new InputException(
          file + " has format " + registry.format + "; this version reads " + FORMAT);
    }
    return registry;
  }

  /** Replaces the registry of a directory; readers see the old one or this. */
  void write(Path directory, Configuration hadoop) throws IOException {
    CompleteFile.write(new Path(directory, FILE_NAME), JSON.writeValueAsBytes(this), hadoop);
  }

  Optional<JudgedModel> model(String id) {
    return models.stream().filter(model -> model.id.equals(id)).findFirst();
  }

  Optional<JudgedModel> inUse() {
    return promoted == null ? Optional.empty() : model(promoted);
  }

  /** Returns the id of the model that was in use before the one that is. */
  Optional<String> before() {
    return history.isEmpty()
        ? Optional.empty()
        : Optional.ofNullable(history.get(history.size() - 1).insteadOf);
  }

  Optional<JudgedModel> newest() {
    return models.isEmpty() ? Optional.empty() : Optional.of(models.get(models.size() - 1));
  }

  /** Returns this with one more model, in use if it was promoted. */
  Registry with(JudgedModel model, int heldOut) {
    List<JudgedModel> more = new ArrayList<>(models);
    more.add(model);
    Registry grown = new Registry(FORMAT, promoted, heldOut, List.copyOf(more), history);
    return model.promoted ? grown.using(model.id, model.reason, model.finished) : grown;
  }

  /** Returns this with another model in use. */
  Registry using(String id, String reason, String at) {
    if (Objects.equals(id, promoted)) {
      throw new IllegalArgumentException(id + " is in use already");
    }
    List<Promotion> more = new ArrayList<>(history);
    more.add(new Promotion(id, promoted, reason, at));
    return new Registry(FORMAT, id, heldOutVersion, models, List.copyOf(more));
  }
}
