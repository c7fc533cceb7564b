package org.latentspark.graph;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.latentspark.tensor.Natives;
import org.latentspark.tensor.Tensors;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Shows ND4J's memory to libtorch and the other way round, without copies where that is possible.
 */
public final class FlatViews {
  private FlatViews() {}

  /**
   * Returns a tensor [n] over the memory of a flat fp32 vector; the caller keeps {@code vector}
   * reachable for as long as the tensor is used.
   */
  public static Tensor share(INDArray vector) {
    Natives.load();
    if (vector.dataType() != DataType.FLOAT || vector.isView() && vector.elementWiseStride() != 1) {
      throw new IllegalArgumentException(
          "Only a dense FLOAT vector can be shared with libtorch, not "
              + vector.shapeInfoToString());
    }
    return torch.from_blob(
        vector.data().addressPointer(),
        new long[] {vector.length()},
        new TensorOptions(ScalarType.Float));
  }

  /**
   * Returns a vector [1, n] over the memory of a flat fp32 tensor on the CPU; the caller keeps the
   * tensor's reference for as long as the vector is used.
   */
  static INDArray share(Tensor vector) {
    DataBuffer memory = Nd4j.createBuffer(vector.data_ptr(), vector.numel(), DataType.FLOAT);
    return Nd4j.create(memory, 1, vector.numel());
  }

  /** Returns a new tensor with a copy of {@code array}, fp32, of the same shape. */
  static Tensor copyOf(INDArray array) {
    INDArray dense = array.castTo(DataType.FLOAT).dup('c');
    Tensor borrowed =
        torch.from_blob(
            dense.data().addressPointer(), dense.shape(), new TensorOptions(ScalarType.Float));
    // The clone may outlive the Java array, whose memory is the garbage collector's.
    return borrowed.clone();
  }

  /** Copies a tensor's values into an array of as many elements in C order. */
  static void copy(Tensor source, INDArray target) {
    Tensor host = source.detach().to(ScalarType.Float).contiguous();
    if (host.numel() != target.length()) {
      throw new IllegalArgumentException(
          "A tensor of shape " + Tensors.shape(host) + " does not fill " + target.length());
    }
    Pointer.memcpy(
        new FloatPointer(target.data().addressPointer()),
        host.data_ptr(),
        host.numel() * Float.BYTES);
  }
}
