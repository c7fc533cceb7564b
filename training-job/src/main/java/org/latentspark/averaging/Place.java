package org.latentspark.averaging;

import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.DeviceType;

/**
 * Where a worker computes.
 *
 * @param type the kind of device
 * @param index which of them
 */
record Place(DeviceType type, int index) {
  /** The processor. */
  static final Place CPU = new Place(DeviceType.CPU, 0);

  static Place gpu(int index) {
    return new Place(DeviceType.CUDA, index);
  }

  /** Returns a tensor of the CPU's here: on the CPU the tensor itself, on a GPU a copy. */
  Tensor put(Tensor tensor) {
    if (type == DeviceType.CPU) {
      return tensor;
    }
    return tensor.to(new Device(type, (byte) index), tensor.scalar_type());
  }
}
