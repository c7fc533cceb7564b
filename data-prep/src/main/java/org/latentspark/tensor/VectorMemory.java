package org.latentspark.tensor;

import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Where vectors of a model's length live that are read from front to back, once a step or less.
 *
 * @param folder a local folder whose files are mapped into memory, so that the operating system may
 *     write them out where memory is short; empty for plain memory
 * @param gpu the GPU whose memory it is, or {@link #NO_GPU}
 */
public record VectorMemory(String folder, int gpu) implements Serializable {
  /** The host's memory. */
  public static final int NO_GPU = -1;

  /** Plain memory of the host. */
  public static final VectorMemory RESIDENT = new VectorMemory("");

  private static final long serialVersionUID = 1;
  private static final int BLOCK = 1 << 22;

  /** The host's memory, as {@code folder} says. */
  public VectorMemory(String folder) {
    this(folder, NO_GPU);
  }

  /** Returns the memory of a GPU. */
  public static VectorMemory onGpu(int index) {
    return new VectorMemory("", index);
  }

  /** Tells whether the vectors may leave memory. */
  public boolean inFiles() {
    return !folder.isEmpty();
  }

  /**
   * Returns a vector [count] of fp32 zeros, whose reference the caller releases.
   *
   * @throws UncheckedIOException when the folder has no room for it
   */
  public Tensor zeros(long count) {
    Natives.load();
    try (PointerScope scope = new PointerScope()) {
      Tensor vector = inFiles() ? mapped(count) : torch.zeros(count);
      if (gpu != NO_GPU) {
        vector = vector.to(new Device(DeviceType.CUDA, (byte) gpu), ScalarType.Float);
      }
      vector.retainReference();
      return vector;
    }
  }

  private Tensor mapped(long count) {
    Path file = null;
    try {
      Files.createDirectories(Path.of(folder));
      file = Files.createTempFile(Path.of(folder), "vector", ".bin");
      fill(file, count * Float.BYTES);
      return torch.from_file(
          file.toString(),
          new BoolOptional(true),
          new LongOptional(count),
          new TensorOptions(ScalarType.Float));
    } catch (IOException e) {
      throw new UncheckedIOException(
          "%s has no room for a vector of %,d values".formatted(folder, count), e);
    } finally {
      delete(file);
    }
  }

  /** Writes zeros: a hole in a file on a full disk would end the process at the first write. */
  private static void fill(Path file, long bytes) throws IOException {
    ByteBuffer zeros = ByteBuffer.allocateDirect((int) Math.min(BLOCK, bytes));
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      while (channel.position() < bytes) {
        zeros.clear().limit((int) Math.min(zeros.capacity(), bytes - channel.position()));
        channel.write(zeros);
      }
    }
  }

  /** Takes the file's name away: its memory lasts as long as the mapping, and no kill leaves it. */
  private static void delete(Path file) {
    try {
      if (file != null) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot delete " + file, e);
    }
  }
}
