package org.latentspark.tensor;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.latentspark.cli.InputException;

/**
 * Reads a safetensors file from any Hadoop file system, memory-mapped where it is local, straight
 * into the tensor where the types agree; for one thread.
 *
 * <p>The whole header is checked before any data is read.
 */
public final class SafetensorsReader implements Closeable {
  private static final int CHUNK = 1 << 22;
  private final String file;
  private final ByteSource source;
  private final long dataStart;
  private final Map<String, SafetensorsEntry> entries;

  private SafetensorsReader(String file, ByteSource source) throws IOException {
    this.file = file;
    this.source = source;
    long length = source.length();
    if (length < Long.BYTES) {
      throw new InputException(file + ": " + length + " bytes are no safetensors file");
    }
    ByteBuffer prefix = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    source.read(0, prefix);
    long headerLength = prefix.getLong(0);
    long limit = Math.min(SafetensorsHeader.MAX_LENGTH, length - Long.BYTES);
    if (headerLength < 2 || headerLength > limit) {
      throw new InputException(
          "%s: header length %s is not within 2 and %d"
              .formatted(file, Long.toUnsignedString(headerLength), limit));
    }
    this.dataStart = Long.BYTES + headerLength;
    this.entries =
        SafetensorsHeader.parse(file, source.stream(Long.BYTES, dataStart), length - dataStart);
  }

  /**
   * Opens a file and checks its header.
   *
   * @throws InputException when the header does not describe the file
   */
  public static SafetensorsReader open(Path path, Configuration configuration) throws IOException {
    return open(path.toString(), ByteSource.open(path, configuration));
  }

  static SafetensorsReader open(String file, ByteSource source) throws IOException {
    Natives.load();
    try {
      return new SafetensorsReader(file, source);
    } catch (IOException | RuntimeException e) {
      source.close();
      throw e;
    }
  }

  /** Returns the tensors by name, in the order of their data, in which reading them is fastest. */
  public Map<String, SafetensorsEntry> entries() {
    return Collections.unmodifiableMap(entries);
  }

  /** Reads a tensor into a new one on the CPU, of the file's type. */
  public Tensor read(String name) throws IOException {
    SafetensorsEntry entry = entry(name);
    Tensor tensor = torch.zeros(entry.sizes(), new TensorOptions(entry.type().scalarType()));
    read(name, tensor);
    return tensor;
  }

  /**
   * Reads a tensor into {@code target}, contiguous and of as many values, on any device and of any
   * type; the values are converted.
   *
   * @throws InputException when the file was shortened since it was opened
   */
  public void read(String name, Tensor target) throws IOException {
    SafetensorsEntry entry = entry(name);
    if (target.numel() != entry.count()) {
      throw new IllegalArgumentException(
          "%s: tensor %s has shape %s, the target %s"
              .formatted(file, name, entry.shape(), Tensors.shape(target)));
    }
    try (NoGradGuard guard = new NoGradGuard();
        PointerScope scope = new PointerScope()) {
      Tensor flat = target.view(-1);
      if (flat.is_cpu() && flat.scalar_type().intern() == entry.type().scalarType()) {
        fill(flat, dataStart + entry.begin(), entry.end() - entry.begin());
      } else {
        convert(entry, flat);
      }
    } catch (EOFException e) {
      throw new InputException(file + " ends within tensor " + name, e);
    }
  }

  private void convert(SafetensorsEntry entry, Tensor flat) throws IOException {
    int width = entry.type().bytes();
    long step = Math.min(entry.count(), CHUNK / width);
    Tensor staging = torch.zeros(new long[] {step}, new TensorOptions(entry.type().scalarType()));
    for (long from = 0; from < entry.count(); from += step) {
      long count = Math.min(step, entry.count() - from);
      fill(staging, dataStart + entry.begin() + from * width, count * width);
      flat.narrow(0, from, count).copy_(staging.narrow(0, 0, count));
    }
  }

  private void fill(Tensor target, long position, long length) throws IOException {
    for (long from = 0; from < length; from += CHUNK) {
      long count = Math.min(CHUNK, length - from);
      BytePointer bytes = new BytePointer(target.data_ptr());
      source.read(position + from, bytes.position(from).limit(from + count).asByteBuffer());
    }
  }

  private SafetensorsEntry entry(String name) {
    SafetensorsEntry entry = entries.get(name);
    if (entry == null) {
      throw new IllegalArgumentException(file + " has no tensor " + name);
    }
    return entry;
  }

  @Override
  public void close() throws IOException {
    source.close();
  }
}
