package org.latentspark.averaging;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.latentspark.cli.InputException;
import org.latentspark.model.TorchModel;

/** An objective that fails on worker 1, at {@link #STEP} or when it is opened. */
record FaultyObjective(Objective sound, Fault fault) implements Objective {
  private static final long serialVersionUID = 1;
  static final long STEP = 4;

  /** NaN losses so far, in this process. */
  static final AtomicInteger BROKEN = new AtomicInteger();

  enum Fault {
    NAN_ONCE,
    NAN_OF_THE_BATCH,
    NAN_OF_EVERY_BATCH,
    BAD_INPUT,
    STANDS_STILL
  }

  @Override
  public Session open(TorchModel model, List<String> shards, int rank, int workers)
      throws IOException {
    if (rank == 1 && fault == Fault.BAD_INPUT) {
      throw new InputException("shard 7 is damaged");
    }
    if (rank == 1 && fault == Fault.STANDS_STILL) {
      try {
        Thread.sleep(8000);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    Session session = sound.open(model, shards, rank, workers);
    return new Session() {
      @Override
      public int batchSize() {
        return session.batchSize();
      }

      @Override
      public Tensor loss(long step) {
        Tensor loss = session.loss(step);
        return rank == 1 && breaks(step) ? loss.mul(new Scalar(Double.NaN)) : loss;
      }

      @Override
      public List<String> keys(long step) {
        return List.of("example of step " + step);
      }

      @Override
      public Validation validate() {
        return session.validate();
      }

      @Override
      public void close() {
        session.close();
      }
    };
  }

  private boolean breaks(long step) {
    return switch (fault) {
      case NAN_ONCE -> step == STEP && BROKEN.getAndIncrement() == 0;
      case NAN_OF_THE_BATCH -> step == STEP;
      case NAN_OF_EVERY_BATCH -> step >= STEP;
      case BAD_INPUT, STANDS_STILL -> false;
    };
  }
}
