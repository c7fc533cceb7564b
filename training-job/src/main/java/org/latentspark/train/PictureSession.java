package org.latentspark.train;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.latentspark.averaging.Objective;
import org.latentspark.latents.Split;

/** An objective at work on one worker's share of pictures, shuffled anew for each epoch. */
abstract class PictureSession implements Objective.Session {
  private final Pictures.Loaded train;
  private final Pictures.Loaded heldOut;
  private final ExampleOrder order;
  private final int batchSize;

  PictureSession(Pictures pictures, int batchSize, long seed, int rank, int workers)
      throws IOException {
    this.train = pictures.load(Split.TRAIN, rank, workers);
    this.heldOut = pictures.load(Split.VALIDATION, rank, workers);
    this.order = new ExampleOrder(seed, rank, train.count());
    this.batchSize = batchSize;
  }

  final Pictures.Loaded train() {
    return train;
  }

  final Pictures.Loaded heldOut() {
    return heldOut;
  }

  /** Returns the places, among the pictures to train on, of a step's batch. */
  final long[] places(long step) {
    return order.batch(step, batchSize);
  }

  @Override
  public final int batchSize() {
    return batchSize;
  }

  @Override
  public final List<String> keys(long step) {
    return Arrays.stream(places(step))
        .mapToObj(place -> train.keys().get(Math.toIntExact(place)))
        .toList();
  }

  @Override
  public final void close() {
    train.close();
    heldOut.close();
  }
}
