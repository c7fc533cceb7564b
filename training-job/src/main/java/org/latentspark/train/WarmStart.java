package org.latentspark.train;

import java.io.IOException;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.latentspark.averaging.HadoopSettings;
import org.latentspark.averaging.StateStore;
import org.latentspark.averaging.TrainingVectors;
import org.latentspark.checkpoint.CheckpointStore;
import org.latentspark.checkpoint.Checkpoints;
import org.latentspark.cli.InputException;
import org.latentspark.model.ModelDirectory;
import org.latentspark.model.TorchModel;
import org.latentspark.model.WeightNames;
import org.latentspark.tensor.FileSystems;

/**
 * Begins a run with weights that are there already, and their moving average where it is there;
 * steps, schedules and the optimizer's moments begin anew.
 *
 * @param store the run's own states, which come first
 * @param directory holds the model's folder, such as {@code unet/}: a checkpoint, or a published
 *     model in diffusers' layout
 * @param model the name of that folder
 */
record WarmStart(StateStore store, String directory, String model) implements StateStore {
  private static final long serialVersionUID = 1;
  private static final String MOVING_AVERAGE = "_ema";

  /**
   * Lets runs of {@code store} begin with a model's weights.
   *
   * @param initial a checkpoint, a run (its newest complete one), or a published model
   * @throws InputException when there is no such model, or one of another architecture
   */
  static StateStore of(
      StateStore store, String initial, String model, TorchModel network, Configuration hadoop)
      throws IOException {
    Path directory = new Path(initial);
    if (!FileSystems.of(directory, hadoop).exists(new Path(directory, model))) {
      Optional<Path> latest = Checkpoints.of(directory, hadoop).latest();
      directory =
          latest.orElseThrow(
              () ->
                  new InputException(
                      "initial = %s: is neither a directory with %s/ nor a run with a complete checkpoint"
                          .formatted(initial, model)));
    }
    CheckpointStore.requireSameModel(directory, hadoop, network, model);
    return new WarmStart(store, FileSystems.qualified(directory.toString(), hadoop), model);
  }

  @Override
  public Writing writing() {
    return store.writing();
  }

  @Override
  public String newest() throws IOException {
    return store.newest();
  }

  @Override
  public Progress restore(String state, TorchModel network, TrainingVectors vectors)
      throws IOException {
    Progress progress = store.restore(state, network, vectors);
    if (state.equals(START)) {
      Configuration hadoop = HadoopSettings.here();
      Path weights = new Path(directory, model);
      new ModelDirectory(weights, hadoop)
          .load(network.parameters(), vectors.average(), WeightNames.EXACT);
      Path average = new Path(directory, model + MOVING_AVERAGE);
      boolean averaged = FileSystems.of(average, hadoop).exists(average);
      new ModelDirectory(averaged ? average : weights, hadoop)
          .load(network.parameters(), vectors.movingAverage(), WeightNames.EXACT);
    }
    return progress;
  }

  @Override
  public String save(TorchModel network, TrainingVectors vectors, Progress progress)
      throws IOException {
    return store.save(network, vectors, progress);
  }
}
