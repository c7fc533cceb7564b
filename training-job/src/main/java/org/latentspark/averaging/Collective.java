package org.latentspark.averaging;

import java.time.Duration;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.javacpp.chrono.Milliseconds;
import org.bytedeco.pytorch.GlooDeviceVector;
import org.bytedeco.pytorch.PrefixStore;
import org.bytedeco.pytorch.ProcessGroupGloo;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.latentspark.tensor.Tensors;

/** The workers of one barrier stage, joined by Gloo over sockets. */
final class Collective implements AutoCloseable {
  private final int workers;
  private final PrefixStore store;
  private final ProcessGroupGloo group;

  private Collective(int workers, PrefixStore store, ProcessGroupGloo group) {
    this.workers = workers;
    this.store = store;
    this.group = group;
  }

  /** Joins the other workers of the segment, waiting for none longer than {@code deadline}. */
  static Collective join(Seat seat, Duration deadline) {
    try (PointerScope scope = new PointerScope()) {
      PrefixStore store = new PrefixStore("peers", seat.rendezvous());
      ProcessGroupGloo.Options options =
          ProcessGroupGloo.Options.create(new Milliseconds(deadline.toMillis()));
      options
          .devices()
          .put(new GlooDeviceVector(ProcessGroupGloo.createDeviceForHostname(seat.host())));
      ProcessGroupGloo group = new ProcessGroupGloo(store, seat.rank(), seat.workers(), options);
      store.retainReference();
      group.retainReference();
      return new Collective(seat.workers(), store, group);
    }
  }

  /** Returns how many workers have joined. */
  int workers() {
    return workers;
  }

  /** Replaces {@code vector} [n] on every worker by the sum over the workers. */
  void sum(Tensor vector) {
    for (long start = 0; start < vector.numel(); start += Average.CHUNK) {
      try (PointerScope scope = new PointerScope()) {
        long count = Math.min(Average.CHUNK, vector.numel() - start);
        sum(vector.narrow(0, start, count), Wire.FP32);
      }
    }
  }

  /** Replaces {@code chunk} [n] by the sum, which is the same on all workers to the bit. */
  void sum(Tensor chunk, Wire wire) {
    if (workers == 1) {
      return;
    }
    try (PointerScope scope = new PointerScope()) {
      Tensor sent = chunk.to(wire.type());
      group.allreduce(new TensorVector(sent))._wait();
      if (wire != Wire.FP32) {
        chunk.copy_(sent);
      }
    }
  }

  /** Returns the sums over the workers of a few numbers. */
  double[] sum(double... numbers) {
    try (PointerScope scope = new PointerScope()) {
      Tensor tensor = Tensors.of(numbers);
      if (workers > 1) {
        group.allreduce(new TensorVector(tensor))._wait();
      }
      return Tensors.doubles(tensor);
    }
  }

  @Override
  public void close() {
    group.releaseReference();
    store.releaseReference();
  }
}
