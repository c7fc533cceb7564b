package org.latentspark.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.latentspark.cli.InputException;

class TestSafetensors {
  private static final Configuration CONFIGURATION = new Configuration();
  @TempDir private java.nio.file.Path folder;

  @Test
  void everyTypeComesBackBitForBit() throws IOException {
    Natives.load();
    try (PointerScope scope = new PointerScope()) {
      Map<String, Tensor> tensors = new LinkedHashMap<>();
      Tensor values = Tensors.of(new float[] {-3, 0, 1.5f, 2, 7, 100}, 2, 3);
      for (SafetensorsType type : SafetensorsType.values()) {
        tensors.put(type.name(), values.to(type.scalarType()));
      }
      tensors.put("scalar", values.select(0, 0).select(0, 2));
      tensors.put("empty", torch.zeros(0, 4));
      tensors.put("transposed \"name\"", values.transpose(0, 1));
      Path file = write("types.safetensors", tensors);
      try (SafetensorsReader reader = SafetensorsReader.open(file, CONFIGURATION)) {
        assertThat(reader.entries().keySet()).containsExactlyInAnyOrderElementsOf(tensors.keySet());
        for (Map.Entry<String, Tensor> tensor : tensors.entrySet()) {
          Tensor read = reader.read(tensor.getKey());
          assertThat(read.equal(tensor.getValue())).as(tensor.getKey()).isTrue();
          assertThat(read.scalar_type().intern())
              .isEqualTo(tensor.getValue().scalar_type().intern());
          assertThat(Tensors.sizes(read)).isEqualTo(Tensors.sizes(tensor.getValue()));
        }
      }
    }
  }

  @Test
  void tensorsLargerThanTheChunksComeBackConverted() throws IOException {
    Natives.load();
    try (PointerScope scope = new PointerScope()) {
      Tensor values = torch.rand(new long[] {2_500_001}, Seeds.generator(3));
      Path file = write("large.safetensors", Map.of("half", values.to(ScalarType.Half)));
      try (SafetensorsReader reader = SafetensorsReader.open(file, CONFIGURATION)) {
        Tensor target = torch.zeros(2_500_001);
        reader.read("half", target);
        assertThat(target.equal(values.to(ScalarType.Half).to(ScalarType.Float))).isTrue();
        assertThatThrownBy(() -> reader.read("half", torch.zeros(7)))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("[2500001], the target [7]");
      }
    }
  }

  @Test
  void parametersAreWrittenFromTheFlatVector() throws IOException {
    ParameterScope root = ParameterScope.root();
    root.declare("a", Initializer.constant(1), 2, 2);
    root.declare("b", Initializer.constant(70000), 3);
    ParameterTable table = root.table();
    table.allocate();
    table.initialize(1);
    java.nio.file.Path file = folder.resolve("flat.safetensors");
    try (OutputStream out = Files.newOutputStream(file)) {
      SafetensorsWriter.write(out, table.parameters(), table.values(), SafetensorsType.BF16);
    }
    try (PointerScope scope = new PointerScope();
        SafetensorsReader reader = SafetensorsReader.open(path(file), CONFIGURATION)) {
      assertThat(reader.entries().get("a").shape()).containsExactly(2L, 2L);
      assertThat(Tensors.floats(reader.read("b"))).containsExactly(70144, 70144, 70144);
    }
    try (OutputStream out = OutputStream.nullOutputStream()) {
      assertThatThrownBy(
              () ->
                  SafetensorsWriter.write(
                      out, table.parameters(), table.values(), SafetensorsType.F16))
          .isInstanceOf(ArithmeticException.class)
          .hasMessageContaining("Tensor b ");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}} | 12 | take 8 bytes",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}} | 8 | takes 12 bytes",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}} | 12 | begins at byte 4",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
            + "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}} | 12 | at byte 4",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
            + "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}} | 8 | Duplicate",
        "{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[2],\"data_offsets\":[0,2]}} | 2 | F8_E4M3",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}} | 8 | whole numbers",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}"
            + " | 0 | overflows",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}} | 8 | takes 8 bytes",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}} | 8 | [begin, end]",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}} | 8 | data_offsets",
        "{\"a\":7} | 0 | dtype",
        "{\"__metadata__\":{\"a\":1}} | 0 | texts",
        "{\"\\ud800\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}} | 8 | no Unicode",
        "{\"__metadata__\":{\"a\":\"\\udc00\"}} | 0 | no Unicode",
        "[1] | 0 | JSON object",
        "{} x | 0 | not JSON",
        "{\"a | 0 | not JSON"
      })
  void refusesAHeaderThatLies(String header, int dataLength, String message) throws IOException {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    Path file = file(json.length, json, dataLength);
    assertThatThrownBy(() -> SafetensorsReader.open(file, CONFIGURATION))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(message)
        .hasMessageContaining(file.getName());
  }

  @ParameterizedTest
  @CsvSource({"-1", "9223372036854775807", "1", "3", "99999999"})
  void refusesAHeaderLengthBeyondTheFile(long length) throws IOException {
    Path file = file(length, "{}".getBytes(StandardCharsets.UTF_8), 0);
    assertThatThrownBy(() -> SafetensorsReader.open(file, CONFIGURATION))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("header length");
  }

  @Test
  void refusesFilesThatAreNone() throws IOException {
    java.nio.file.Path file = Files.write(folder.resolve("short"), new byte[5]);
    assertThatThrownBy(() -> SafetensorsReader.open(path(file), CONFIGURATION))
        .hasMessageContaining("5 bytes are no safetensors file");
  }

  @Test
  void indexJoinsItsFiles() throws IOException {
    Natives.load();
    try (PointerScope scope = new PointerScope()) {
      write("m-1.safetensors", Map.of("a", Tensors.of(new float[] {1, 2}, 2)));
      write("m-2.safetensors", Map.of("b", Tensors.of(new float[] {3}, 1)));
      Path index = index("{\"a\":\"m-1.safetensors\",\"b\":\"m-2.safetensors\"}");
      try (SafetensorsShards shards = SafetensorsShards.open(index, CONFIGURATION)) {
        assertThat(shards.entries().keySet()).containsExactly("a", "b");
        Tensor target = torch.zeros(1);
        shards.read("b", target);
        assertThat(Tensors.floats(target)).containsExactly(3);
      }
    }
    for (String map :
        List.of(
            "{\"a\":\"m-1.safetensors\",\"c\":\"m-2.safetensors\"}",
            "{\"a\":\"../m-1.safetensors\"}",
            "{}")) {
      Path index = index(map);
      assertThatThrownBy(() -> SafetensorsShards.open(index, CONFIGURATION))
          .as(map)
          .isInstanceOf(InputException.class);
    }
  }

  private Path index(String map) throws IOException {
    return path(
        Files.writeString(
            folder.resolve("m.safetensors.index.json"),
            "{\"metadata\":{\"total_size\":12},\"weight_map\":" + map + "}"));
  }

  private Path write(String name, Map<String, Tensor> tensors) throws IOException {
    java.nio.file.Path file = folder.resolve(name);
    try (OutputStream out = Files.newOutputStream(file)) {
      SafetensorsWriter.write(out, tensors);
    }
    return path(file);
  }

  private Path file(long headerLength, byte[] header, int dataLength) throws IOException {
    byte[] bytes =
        ByteBuffer.allocate(Long.BYTES + header.length + dataLength)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(headerLength)
            .put(header)
            .array();
    return path(Files.write(folder.resolve("lying.safetensors"), bytes));
  }

  private static Path path(java.nio.file.Path file) {
    return new Path(file.toUri());
  }
}
