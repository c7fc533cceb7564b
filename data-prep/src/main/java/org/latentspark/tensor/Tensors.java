package org.latentspark.tensor;

import java.util.Arrays;
import java.util.function.Supplier;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Moves values between Java arrays and tensors. */
public final class Tensors {
  private static final long NORM_CHUNK = 4096;

  private Tensors() {}

  /** Returns a new fp32 tensor of the given shape with a copy of {@code values}. */
  public static Tensor of(float[] values, long... shape) {
    Natives.load();
    Tensor tensor = torch.zeros(shape, new TensorOptions(ScalarType.Float));
    requireCount(values.length, tensor);
    if (values.length > 0) { // an empty tensor has no memory to point to
      new FloatPointer(tensor.data_ptr()).capacity(values.length).put(values);
    }
    return tensor;
  }

  /** Returns a new int64 tensor of the given shape with a copy of {@code values}. */
  public static Tensor of(long[] values, long... shape) {
    Natives.load();
    Tensor tensor = torch.zeros(shape, new TensorOptions(ScalarType.Long));
    requireCount(values.length, tensor);
    if (values.length > 0) {
      new LongPointer(tensor.data_ptr()).capacity(values.length).put(values);
    }
    return tensor;
  }

  /** Returns a new fp64 tensor [n] with a copy of {@code values}. */
  public static Tensor of(double... values) {
    Natives.load();
    Tensor tensor = torch.zeros(new long[] {values.length}, new TensorOptions(ScalarType.Double));
    if (values.length > 0) {
      new DoublePointer(tensor.data_ptr()).capacity(values.length).put(values);
    }
    return tensor;
  }

  /** Returns a copy of the values, row-major, as fp64. */
  public static double[] doubles(Tensor tensor) {
    Tensor host = tensor.detach().cpu().to(ScalarType.Double).contiguous();
    double[] values = new double[Math.toIntExact(host.numel())];
    if (values.length > 0) {
      new DoublePointer(host.data_ptr()).capacity(values.length).get(values);
    }
    return values;
  }

  /** Returns a copy of the values, row-major, as fp32. */
  public static float[] floats(Tensor tensor) {
    Tensor host = tensor.detach().cpu().to(ScalarType.Float).contiguous();
    float[] values = new float[Math.toIntExact(host.numel())];
    if (values.length > 0) {
      new FloatPointer(host.data_ptr()).capacity(values.length).get(values);
    }
    return values;
  }

  /**
   * Returns what {@code work} computes, and frees the tensors it made on the way, which would
   * otherwise stay until the caller's scope closes. What autograd saved for a backward pass stays.
   */
  public static Tensor scoped(Supplier<Tensor> work) {
    PointerScope outer = PointerScope.getInnerScope();
    try (PointerScope inner = new PointerScope()) {
      Tensor result = work.get();
      if (outer == null) {
        result.retainReference();
      } else {
        outer.attach(result);
      }
      return result;
    }
  }

  /** Returns the shape. */
  public static long[] sizes(Tensor tensor) {
    long[] sizes = new long[(int) tensor.dim()];
    for (int dimension = 0; dimension < sizes.length; dimension++) {
      sizes[dimension] = tensor.size(dimension);
    }
    return sizes;
  }

  /** Returns the shape as text, such as {@code [2, 4, 8, 8]}. */
  public static String shape(Tensor tensor) {
    return Arrays.toString(sizes(tensor));
  }

  /**
   * Returns the Euclidean norm of a vector [n] of any length, such as a model's gradients.
   *
   * <p>libtorch's own norm adds all squares in fp32: that of 860 million equal values on a CPU is
   * half of the true one. This adds the squares of a few thousand at a time.
   */
  public static double norm(Tensor vector) {
    try (PointerScope scope = new PointerScope()) {
      Tensor values = vector.detach();
      long chunks = values.numel() / NORM_CHUNK;
      long whole = chunks * NORM_CHUNK;
      Tensor norms =
          values
              .narrow(0, 0, whole)
              .view(chunks, NORM_CHUNK)
              .norm(new ScalarOptional(new Scalar(2)), 1);
      Tensor rest = values.narrow(0, whole, values.numel() - whole);
      return Math.hypot(
          norms.to(ScalarType.Double).norm().item_double(),
          rest.to(ScalarType.Double).norm().item_double());
    }
  }

  /**
   * Returns a tensor on the device of {@code other}; itself where it is there already. From pinned
   * memory a GPU fetches it by itself, before what is computed with it there.
   */
  public static Tensor beside(Tensor other, Tensor tensor) {
    // On the way back the CPU would not wait for the values.
    boolean unwaited = tensor.is_cpu();
    return tensor.to(
        other.device(), tensor.scalar_type(), unwaited, false, new MemoryFormatOptional());
  }

  /** Wraps a tensor, or null, for libtorch's optional arguments. */
  public static TensorOptional optional(Tensor tensor) {
    return tensor == null ? new TensorOptional() : new TensorOptional(tensor);
  }

  private static void requireCount(int count, Tensor tensor) {
    if (tensor.numel() != count) {
      throw new IllegalArgumentException(
          count + " values do not fill a tensor of shape " + shape(tensor));
    }
  }
}
