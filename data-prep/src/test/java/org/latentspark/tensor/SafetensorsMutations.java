package org.latentspark.tensor;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;

/** Damages a good safetensors file in one of many ways, by a seed. */
final class SafetensorsMutations {
  private static final int DATA_LENGTH = 38;

  private static final List<String> TENSORS =
      List.of(
          "\"weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}",
          "\"bias\":{\"dtype\":\"F16\",\"shape\":[4],\"data_offsets\":[24,32]}",
          "\"scale\":{\"dtype\":\"BF16\",\"shape\":[],\"data_offsets\":[32,34]}",
          "\"count\":{\"dtype\":\"I32\",\"shape\":[1,1],\"data_offsets\":[34,38]}");

  private static final List<String> LISTS =
      List.of(
          "[]",
          "[0]",
          "[-1]",
          "[2,-3]",
          "[0,24]",
          "[24,0]",
          "[0,38]",
          "[24,32]",
          "[20,28]",
          "[1e1]",
          "[24.0,32.0]",
          "[\"24\",\"32\"]",
          "[null,null]",
          "[true]",
          "[[0],[24]]",
          "{}",
          "null",
          "7",
          "\"x\"",
          "[2147483648,2147483648,4]",
          "[9223372036854775807]",
          "[9223372036854775807,9223372036854775807]",
          "[18446744073709551615]",
          "[-9223372036854775808,0]",
          "[4611686018427387904,4]",
          "[0,9223372036854775807]",
          "[99999999999999999999999999999999]",
          "[-0]",
          "[00]",
          "[0,24,38]",
          "[1,1,1,1,1,1,2,3]",
          "[0,4294967296]",
          "[NaN]",
          "[Infinity]",
          "[0x10]",
          "[6]",
          "[3,2]",
          "[1,6]");

  private static final List<String> TYPES =
      List.of(
          "F32",
          "F16",
          "BF16",
          "I32",
          "U8",
          "F64",
          "F8_E4M3",
          "f32",
          "",
          "F32 ",
          "C64",
          "U64",
          "BOOL",
          "\\u0046\\u0033\\u0032");

  private static final List<String> SNIPPETS =
      List.of(
          "{",
          "}",
          "[",
          "]",
          ",",
          ":",
          "\"",
          "\\",
          "\u0000",
          "\n",
          " ",
          "null",
          "1e999999999",
          "\"__metadata__\":{},",
          "\"__metadata__\":[],",
          "\"extra\":1,",
          "\\ud800",
          "/*x*/",
          "é");

  private static final long[] LENGTHS = {
    -1,
    0,
    1,
    7,
    8,
    100_000_000,
    100_000_001,
    Integer.MAX_VALUE,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    1L << 32,
    0x7B00000000000000L
  };

  private final Random random;

  SafetensorsMutations(long seed) {
    this.random = new Random(seed);
  }

  static byte[] good() {
    byte[] json = ("{" + String.join(",", TENSORS) + "}").getBytes(StandardCharsets.UTF_8);
    return file(json.length, json, DATA_LENGTH);
  }

  /** Returns the bytes of a file whose data are 0, 1, 2, ... */
  byte[] next() {
    String header = "{" + String.join(",", shuffled()) + "}";
    int rounds = 1 + random.nextInt(2);
    for (int round = 0; round < rounds; round++) {
      header = damaged(header);
    }
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    if (random.nextInt(5) == 0) {
      for (int flips = random.nextInt(3) + 1; flips > 0 && json.length > 0; flips--) {
        json[random.nextInt(json.length)] ^= (byte) (1 << random.nextInt(8));
      }
    }
    int data = random.nextInt(10) == 0 ? random.nextInt(60) : DATA_LENGTH;
    long length = json.length;
    if (random.nextInt(8) == 0) {
      length =
          random.nextBoolean()
              ? json.length + random.nextInt(41) - 20
              : LENGTHS[random.nextInt(LENGTHS.length)];
    }
    return file(length, json, data);
  }

  static byte[] file(long length, byte[] json, int data) {
    ByteBuffer file =
        ByteBuffer.allocate(Long.BYTES + json.length + data).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(length).put(json);
    for (int index = 0; index < data; index++) {
      file.put((byte) index);
    }
    return file.array();
  }

  private List<String> shuffled() {
    List<String> tensors = new ArrayList<>(TENSORS);
    Collections.shuffle(tensors, random);
    return tensors;
  }

  private String damaged(String header) {
    return switch (random.nextInt(12)) {
      case 0 -> header.replaceFirst("\"shape\":\\[[^]]*]", "\"shape\":" + literal(LISTS));
      case 1 -> inOne(header, "\"shape\":[", "\"shape\":" + any(LISTS) + ",\"was\":[");
      case 2 -> inOne(header, "\"data_offsets\":[", "\"data_offsets\":" + any(LISTS) + ",\"o\":[");
      case 3 -> header.replaceFirst("\"dtype\":\"[^\"]*\"", "\"dtype\":\"" + literal(TYPES) + "\"");
      case 4 -> header.substring(0, random.nextInt(header.length() + 1));
      case 5 -> inserted(header, any(SNIPPETS));
      case 6 -> inserted(header, any(TENSORS) + ",");
      case 7 -> header.replaceFirst("\\{", "{" + literal(TENSORS) + ",");
      case 8 -> nested(header);
      case 9 -> header + " ".repeat(random.nextInt(20));
      case 10 -> inOne(header, "\"dtype\"", "\"x\":{\"y\":[1,{\"z\":null}]},\"dtype\"");
      default -> header.replaceFirst("\\{", "{\"__metadata__\":{\"format\":\"pt\"},");
    };
  }

  private String nested(String header) {
    int depth = 1 + random.nextInt(random.nextInt(50) == 0 ? 100_000 : 300);
    return inOne(
        header, "\"dtype\"", "\"x\":" + "[".repeat(depth) + "]".repeat(depth) + ",\"dtype\"");
  }

  /** Replaces one of the places where {@code part} stands. */
  private String inOne(String header, String part, String replacement) {
    int from = header.indexOf(part, random.nextInt(header.length() + 1));
    return from < 0
        ? header
        : header.substring(0, from) + replacement + header.substring(from + part.length());
  }

  private String inserted(String header, String text) {
    int place = random.nextInt(header.length() + 1);
    return header.substring(0, place) + text + header.substring(place);
  }

  private String any(List<String> values) {
    return values.get(random.nextInt(values.size()));
  }

  private String literal(List<String> values) {
    return Matcher.quoteReplacement(any(values));
  }
}
