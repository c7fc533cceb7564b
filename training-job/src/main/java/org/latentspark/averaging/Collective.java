package org.latentspark.averaging;

import java.time.Duration;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.javacpp.chrono.Milliseconds;
import org.bytedeco.pytorch.Backend;
import org.bytedeco.pytorch.GlooDeviceVector;
import org.bytedeco.pytorch.PrefixStore;
import org.bytedeco.pytorch.ProcessGroupGloo;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.global.torch_cuda;
import org.bytedeco.pytorch.global.torch_nccl;
import org.bytedeco.pytorch.nccl.ProcessGroupNCCL;
import org.latentspark.tensor.Tensors;

/**
 * The workers of one barrier stage, joined by Gloo over sockets, or by NCCL where they have GPUs.
 */
final class Collective implements AutoCloseable {
  private final int workers;
  private final PrefixStore store;
  private final Place place;
  private final Backend group;

  private Collective(int workers, Place place, PrefixStore store, Backend group) {
    this.workers = workers;
    this.place = place;
    this.store = store;
    this.group = group;
  }

  /** Joins the other workers of the segment, waiting for none longer than {@code deadline}. */
  static Collective join(Seat seat, Duration deadline) {
    try (PointerScope scope = new PointerScope()) {
      PrefixStore store = new PrefixStore("peers", seat.rendezvous());
      Backend group =
          seat.place().type() == DeviceType.CUDA
              ? nccl(store, seat, deadline)
              : gloo(store, seat, deadline);
      store.retainReference();
      group.retainReference();
      return new Collective(seat.workers(), seat.place(), store, group);
    }
  }

  private static Backend gloo(PrefixStore store, Seat seat, Duration deadline) {
    ProcessGroupGloo.Options options =
        ProcessGroupGloo.Options.create(new Milliseconds(deadline.toMillis()));
    options
        .devices()
        .put(new GlooDeviceVector(ProcessGroupGloo.createDeviceForHostname(seat.host())));
    return new ProcessGroupGloo(store, seat.rank(), seat.workers(), options);
  }

  /** Joins by NCCL, whose waits end at the deadline by libtorch's own watch on them. */
  private static Backend nccl(PrefixStore store, Seat seat, Duration deadline) {
    Loader.load(torch_nccl.class);
    torch_cuda.set_device((byte) seat.place().index());
    ProcessGroupNCCL group = new ProcessGroupNCCL(store, seat.rank(), seat.workers());
    group.setTimeout(new Milliseconds(deadline.toMillis()));
    return group;
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
      Tensor tensor = place.put(Tensors.of(numbers));
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
