package org.latentspark.averaging;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/** Looks at memory as libtorch's and as Java's network does, without a copy. */
final class Letters {
  private Letters() {}

  /** Returns new memory of {@code length} bytes, outside of the Java heap. */
  static ByteBuffer allocate(int length) {
    return ByteBuffer.allocateDirect(length);
  }

  /** Returns a tensor [n] of the wire's type over a letter's memory. */
  static Tensor tensor(ByteBuffer letter, Wire wire, long count) {
    TensorOptions options = new TensorOptions(wire.type());
    long bytes = count * torch.elementSize(wire.type());
    if (letter.remaining() != bytes) {
      throw new IllegalStateException(
          "A neighbour sent " + letter.remaining() + " bytes instead of " + bytes);
    }
    return torch.from_blob(new Pointer(letter), new long[] {count}, options);
  }

  /** Returns the memory of a tensor in one piece, in the machine's own order of bytes. */
  static ByteBuffer bytes(Tensor tensor) {
    long length = tensor.numel() * tensor.element_size();
    return new BytePointer(tensor.data_ptr())
        .capacity(length)
        .asByteBuffer()
        .order(ByteOrder.nativeOrder());
  }
}
