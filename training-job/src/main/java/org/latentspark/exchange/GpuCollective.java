package org.latentspark.exchange;

import java.time.Duration;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.javacpp.chrono.Milliseconds;
import org.bytedeco.pytorch.PrefixStore;
import org.bytedeco.pytorch.TCPStore;
import org.bytedeco.pytorch.TCPStoreOptions;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch_cuda;
import org.bytedeco.pytorch.global.torch_nccl;
import org.bytedeco.pytorch.nccl.ProcessGroupNCCL;
import org.latentspark.tensor.Tensors;

/**
 * Workers with GPUs, joined by NCCL.
 *
 * <p>NCCL lets in who knows its id of 128 random bytes. The id passes through a store of worker 0's
 * under a name that only holders of the stage's {@link Secret} know; NCCL does not encrypt.
 */
final class GpuCollective implements Collective {
  /** 64 MiB in fp32: large enough for NCCL's ring, small enough that its buffers stay small. */
  private static final long CHUNK = 16L << 20;

  private final int workers;
  private final Place place;
  private final PrefixStore store;
  private final ProcessGroupNCCL group;

  private GpuCollective(int workers, Place place, PrefixStore store, ProcessGroupNCCL group) {
    this.workers = workers;
    this.place = place;
    this.store = store;
    this.group = group;
  }

  /** Joins by NCCL, whose waits end at the deadline by libtorch's own watch on them. */
  static GpuCollective join(Member own, Duration deadline) {
    Loader.load(torch_nccl.class);
    torch_cuda.set_device((byte) own.place().index());
    try (PointerScope scope = new PointerScope()) {
      PrefixStore store = new PrefixStore(own.secret().nameOf("nccl"), store(own, deadline));
      ProcessGroupNCCL group = new ProcessGroupNCCL(store, own.rank(), own.workers());
      group.setTimeout(new Milliseconds(deadline.toMillis()));
      store.retainReference();
      group.retainReference();
      return new GpuCollective(own.workers(), own.place(), store, group);
    }
  }

  /** Connects to the store that worker 0 opens, which lives as long as its own connection. */
  private static TCPStore store(Member own, Duration deadline) {
    TCPStore opened = null;
    int port = 0;
    if (own.rank() == 0) {
      opened = new TCPStore("0.0.0.0", options(deadline).isServer(true).port((short) 0));
      port = Short.toUnsignedInt(opened.getPort());
    }
    Address first = own.meeting().join(own.rank(), new Address(own.host(), port, ""))[0];
    return opened == null
        ? new TCPStore(first.host(), options(deadline).isServer(false).port((short) first.port()))
        : opened;
  }

  private static TCPStoreOptions options(Duration deadline) {
    return new TCPStoreOptions().waitWorkers(false).timeout(new Milliseconds(deadline.toMillis()));
  }

  @Override
  public int workers() {
    return workers;
  }

  @Override
  public void sum(Tensor vector, Wire wire, Stretch before, Stretch after) {
    Collective.pieces(
        0,
        vector.numel(),
        CHUNK,
        (start, count) -> {
          before.at(start, count);
          try (PointerScope scope = new PointerScope()) {
            Tensor stretch = vector.narrow(0, start, count);
            Tensor sent = stretch.to(wire.type());
            group.allreduce(new TensorVector(sent))._wait();
            if (wire != Wire.FP32) {
              stretch.copy_(sent);
            }
          }
          after.at(start, count);
        });
  }

  @Override
  public double[] sum(double... numbers) {
    try (PointerScope scope = new PointerScope()) {
      Tensor tensor = place.put(Tensors.of(numbers));
      group.allreduce(new TensorVector(tensor))._wait();
      return Tensors.doubles(tensor);
    }
  }

  @Override
  public void close() {
    group.releaseReference();
    store.releaseReference();
  }
}
