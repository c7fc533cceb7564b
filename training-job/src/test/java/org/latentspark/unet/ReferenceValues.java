package org.latentspark.unet;

import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.latentspark.tensor.Parameter;
import org.latentspark.tensor.ParameterTable;

/**
 * The weights and inputs of the reference's larger models, bit by bit as {@code values()} in
 * fixtures/make_unet_fixtures.py makes them, so that no file has to hold them.
 */
public final class ReferenceValues {
  private static final int CHUNK = 1 << 20;

  private ReferenceValues() {}

  /** Fills every parameter of a bound table so that features keep their size. */
  public static void fill(ParameterTable table) {
    fill(table, 1);
  }

  /** Fills every parameter of a bound table; layers multiply features by {@code gain}. */
  static void fill(ParameterTable table, double gain) {
    for (Parameter parameter : table.parameters()) {
      String name = parameter.name();
      long[] shape = parameter.shape();
      if (shape.length == 1) {
        boolean scales = name.contains("norm") && name.endsWith(".weight");
        fill(parameter.tensor(), name, 0.1 * gain, scales ? 1 : 0);
      } else {
        fill(parameter.tensor(), name, gain / Math.sqrt(parameter.count() / (double) shape[0]), 0);
      }
    }
  }

  /** Returns a new tensor of mean 0 and standard deviation 1. */
  public static Tensor of(String name, long... shape) {
    Tensor tensor = torch.zeros(shape);
    fill(tensor, name, 1, 0);
    return tensor;
  }

  private static void fill(Tensor target, String name, double scale, double centre) {
    CRC32 crc = new CRC32();
    crc.update(name.getBytes(StandardCharsets.UTF_8));
    long start = crc.getValue() << 32;
    double width = scale * Math.sqrt(3);
    float[] buffer = new float[CHUNK];
    try (PointerScope scope = new PointerScope()) {
      long count = target.numel();
      FloatPointer memory = new FloatPointer(target.data_ptr()).capacity(count);
      for (long from = 0; from < count; from += CHUNK) {
        int length = (int) Math.min(CHUNK, count - from);
        for (int index = 0; index < length; index++) {
          buffer[index] = (float) (centre + width * unit(start + from + index));
        }
        memory.position(from).put(buffer, 0, length);
      }
    }
  }

  /** Maps a counter to [-1, 1) by SplitMix64's finalizer. */
  private static double unit(long counter) {
    long z = (counter ^ (counter >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    z ^= z >>> 31;
    return (z >>> 40) * 0x1p-23 - 1;
  }
}
