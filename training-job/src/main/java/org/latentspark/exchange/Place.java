package org.latentspark.exchange;

import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.DeviceType;

/**
 * Where a worker computes.
 *
 * @param type the kind of device
 * @param index which of them
 */
public record Place(DeviceType type, int index) {
  /** The processor. */
  public static final Place CPU = new Place(DeviceType.CPU, 0);

  /** Returns the GPU of that number. */
  public static Place gpu(int index) {
    return new Place(DeviceType.CUDA, index);
  }

  /** Returns a tensor of the CPU's here: on the CPU the tensor itself, on a GPU a copy. */
  public Tensor put(Tensor tensor) {
    if (type == DeviceType.CPU) {
      return tensor;
    }
    return tensor.to(new Device(type, (byte) index), tensor.scalar_type());
  }
}
