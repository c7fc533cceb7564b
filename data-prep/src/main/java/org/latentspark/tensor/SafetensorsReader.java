package org.latentspark.tensor;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.latentspark.cli.InputException;

/**
 * Reads a safetensors file from any Hadoop file system, one stream, in chunks straight into the
 * tensor; for one thread.
 *
 * <p>The whole header is checked before any data is read. The file is not memory-mapped: one that
 * shrinks while it is mapped kills the JVM, and a stream serves object stores too.
 */
public final class SafetensorsReader implements Closeable {
  private static final int CHUNK = 1 << 22;
  private final String file;
  private final FSDataInputStream in;
  private final long dataStart;
  private final Map<String, SafetensorsEntry> entries;
  private final byte[] buffer = new byte[CHUNK];

  private SafetensorsReader(String file, FSDataInputStream in, long length) throws IOException {
    this.file = file;
    this.in = in;
    if (length < Long.BYTES) {
      throw new InputException(file + ": " + length + " bytes are no safetensors file");
    }
    byte[] prefix = new byte[Long.BYTES];
    in.readFully(prefix);
    long headerLength = ByteBuffer.wrap(prefix).order(ByteOrder.LITTLE_ENDIAN).getLong();
    long limit = Math.min(SafetensorsHeader.MAX_LENGTH, length - Long.BYTES);
    if (headerLength < 2 || headerLength > limit) {
      throw new InputException(
          "%s: header length %s is not within 2 and %d"
              .formatted(file, Long.toUnsignedString(headerLength), limit));
    }
    byte[] header = new byte[(int) headerLength];
    in.readFully(header);
    this.dataStart = Long.BYTES + headerLength;
    this.entries = SafetensorsHeader.parse(file, header, length - dataStart);
  }

  /**
   * Opens a file and checks its header.
   *
   * @throws InputException when the header does not describe the file
   */
  public static SafetensorsReader open(Path path, Configuration configuration) throws IOException {
    Natives.load();
    FileSystem fileSystem = FileSystems.of(path, configuration);
    long length = fileSystem.getFileStatus(path).getLen();
    FSDataInputStream in = fileSystem.open(path);
    try {
      return new SafetensorsReader(path.toString(), in, length);
    } catch (IOException | RuntimeException e) {
      in.close();
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
   */
  public void read(String name, Tensor target) throws IOException {
    SafetensorsEntry entry = entry(name);
    if (target.numel() != entry.count()) {
      throw new IllegalArgumentException(
          "%s: tensor %s has shape %s, the target %s"
              .formatted(file, name, entry.shape(), Tensors.shape(target)));
    }
    int width = entry.type().bytes();
    in.seek(dataStart + entry.begin());
    try (NoGradGuard guard = new NoGradGuard();
        PointerScope scope = new PointerScope()) {
      Tensor flat = target.view(-1);
      long step = Math.min(entry.count(), CHUNK / width);
      Tensor staging = torch.zeros(new long[] {step}, new TensorOptions(entry.type().scalarType()));
      BytePointer bytes = new BytePointer(staging.data_ptr()).capacity(step * width);
      for (long from = 0; from < entry.count(); from += step) {
        long count = Math.min(step, entry.count() - from);
        fill(name, bytes, (int) (count * width));
        flat.narrow(0, from, count).copy_(staging.narrow(0, 0, count));
      }
    }
  }

  private void fill(String name, BytePointer bytes, int length) throws IOException {
    try {
      in.readFully(buffer, 0, length);
    } catch (EOFException e) {
      throw new InputException(file + " ends within tensor " + name, e);
    }
    bytes.put(buffer, 0, length);
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
    in.close();
  }
}
