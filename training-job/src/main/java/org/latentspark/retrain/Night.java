package org.latentspark.retrain;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.Locale;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.latentspark.cli.InputException;
import org.latentspark.tensor.CompleteFile;
import org.latentspark.tensor.FileSystems;

/**
 * A retraining that has begun and not ended, kept in {@code retrain.json}: a rerun goes on with the
 * stage in which it died, and each stage goes on with its own work.
 *
 * @param id of the model that is to come
 * @param stage that has begun
 * @param initial id of the model to begin with; null for none
 */
record Night(String id, Stage stage, String initial) {
  static final String FILE_NAME = "retrain.json";

  /** What a night does, in this order. */
  enum Stage {
    PREP,
    TRAIN,
    EVALUATE
  }

  /** Returns the night after a registry's last. */
  static Night next(Registry registry) {
    int last = registry.newest().map(model -> Integer.parseInt(model.id())).orElse(0);
    return new Night(String.format(Locale.ROOT, "%06d", last + 1), Stage.PREP, registry.promoted());
  }

  /** Returns the night that did not end, if its model has not been judged. */
  static Optional<Night> unfinished(Path models, Registry registry, Configuration hadoop)
      throws IOException {
    Path file = new Path(models, FILE_NAME);
    try {
      Night night = Registry.JSON.readValue(CompleteFile.read(file, hadoop), Night.class);
      return Optional.of(night).filter(found -> registry.model(found.id).isEmpty());
    } catch (FileNotFoundException e) {
      return Optional.empty();
    } catch (JsonProcessingException e) {
      throw new InputException(
          file + " is damaged; without it a night is begun anew: " + e.getOriginalMessage(), e);
    }
  }

  Night at(Stage next) {
    return new Night(id, next, initial);
  }

  void write(Path models, Configuration hadoop) throws IOException {
    CompleteFile.write(new Path(models, FILE_NAME), Registry.JSON.writeValueAsBytes(this), hadoop);
  }

  static void end(Path models, Configuration hadoop) throws IOException {
    FileSystems.of(models, hadoop).delete(new Path(models, FILE_NAME), false);
  }
}
