package org.latentspark.tensor;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Writes safetensors files of any size as a stream, a few megabytes at a time. */
public final class SafetensorsWriter {
  private static final int CHUNK = 1 << 20;
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private SafetensorsWriter() {}

  private record Item(String name, Tensor values, long[] shape, SafetensorsType type) {}

  /** Writes tensors of any device and type, in the order of the map; does not close the stream. */
  public static void write(OutputStream out, Map<String, Tensor> tensors) throws IOException {
    try (PointerScope scope = new PointerScope()) {
      List<Item> items = new ArrayList<>();
      tensors.forEach(
          (name, tensor) ->
              items.add(
                  new Item(
                      name,
                      tensor.detach().contiguous().view(-1),
                      Tensors.sizes(tensor),
                      SafetensorsType.of(tensor.scalar_type()))));
      writeItems(out, items);
    }
  }

  /**
   * Writes parameters from {@code flat}, a vector of their table's length on any device, as {@code
   * type}; does not close the stream.
   *
   * @throws ArithmeticException naming the first parameter with a value outside fp16's range, when
   *     the type is F16
   */
  public static void write(
      OutputStream out, Collection<Parameter> parameters, Tensor flat, SafetensorsType type)
      throws IOException {
    if (!type.floating()) {
      throw new IllegalArgumentException("Parameters cannot be written as " + type);
    }
    try (PointerScope scope = new PointerScope()) {
      List<Item> items = new ArrayList<>();
      for (Parameter parameter : parameters) {
        Tensor values = flat.detach().narrow(0, parameter.offset(), parameter.count());
        items.add(new Item(parameter.name(), values, parameter.shape(), type));
      }
      writeItems(out, items);
    }
  }

  private static void writeItems(OutputStream out, List<Item> items) throws IOException {
    byte[] header = header(items);
    out.write(
        ByteBuffer.allocate(Long.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(header.length)
            .array());
    out.write(header);
    byte[] buffer = new byte[CHUNK * Long.BYTES];
    try (NoGradGuard guard = new NoGradGuard()) {
      for (Item item : items) {
        long count = item.values().numel();
        for (long from = 0; from < count; from += CHUNK) {
          writeChunk(out, item, from, Math.min(CHUNK, count - from), buffer);
        }
      }
    }
  }

  private static byte[] header(List<Item> items) throws IOException {
    ObjectNode header = MAPPER.createObjectNode();
    // Loaders of the ecosystem refuse a file that does not say which framework laid it out.
    header.putObject(SafetensorsHeader.METADATA).put("format", "pt");
    long begin = 0;
    for (Item item : items) {
      long end = begin + Math.multiplyExact(item.values().numel(), item.type().bytes());
      ObjectNode entry = header.putObject(item.name()).put("dtype", item.type().name());
      ArrayNode shape = entry.putArray("shape");
      Arrays.stream(item.shape()).forEach(shape::add);
      entry.putArray("data_offsets").add(begin).add(end);
      begin = end;
    }
    byte[] json = MAPPER.writeValueAsBytes(header);
    byte[] padded = Arrays.copyOf(json, (json.length + 7) / 8 * 8);
    Arrays.fill(padded, json.length, padded.length, (byte) ' ');
    return padded;
  }

  private static void writeChunk(OutputStream out, Item item, long from, long count, byte[] buffer)
      throws IOException {
    int length = (int) count * item.type().bytes();
    try (PointerScope scope = new PointerScope()) {
      Tensor chunk =
          item.values().narrow(0, from, count).cpu().to(item.type().scalarType()).contiguous();
      if (item.type() == SafetensorsType.F16 && !torch.isfinite(chunk).all().item_bool()) {
        throw new ArithmeticException(
            "Tensor " + item.name() + " has values that fp16 does not hold; write F32 instead");
      }
      new BytePointer(chunk.data_ptr()).capacity(length).get(buffer, 0, length);
    }
    out.write(buffer, 0, length);
  }
}
