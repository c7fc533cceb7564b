package org.latentspark.averaging;

import org.latentspark.model.TorchModel;

/**
 * Starts every segment from the seed's values and keeps nothing: for benchmarks of what is between.
 */
record FreshState(long seed) implements StateStore {
  private static final long serialVersionUID = 1;

  @Override
  public String newest() {
    return START;
  }

  @Override
  public Progress restore(String state, TorchModel model, TrainingVectors vectors) {
    model.parameters().initialize(seed);
    vectors.average().copy_(model.parameters().values());
    vectors.movingAverage().copy_(model.parameters().values());
    return Progress.NONE;
  }

  @Override
  public Writing writing() {
    // Nothing is kept, so nothing is to be copied.
    return Writing.BLOCKING;
  }

  @Override
  public String save(TorchModel model, TrainingVectors vectors, Progress progress) {
    return START;
  }
}
