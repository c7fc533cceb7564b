package org.latentspark.events;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Reads event files as TensorBoard does: by name, forgetting what a restart takes back. */
public final class EventReader {
  private final Map<String, TreeMap<Long, Double>> scalars = new TreeMap<>();
  private final Map<String, TreeMap<Long, byte[]>> images = new TreeMap<>();
  private final Map<String, TreeMap<Long, double[]>> histograms = new TreeMap<>();
  private final List<Long> steps = new ArrayList<>();

  private EventReader() {}

  /** Reads all files of a folder. */
  public static EventReader read(Path folder) throws IOException {
    EventReader reader = new EventReader();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.sorted().toList()) {
        for (Event event : Records.decode(Files.readAllBytes(file))) {
          reader.add(event);
        }
      }
    }
    return reader;
  }

  private void add(Event event) {
    Map<Integer, List<Object>> fields = fields((byte[]) event.bytes());
    if (fields.containsKey(7)) {
      scalars.values().forEach(values -> values.tailMap(event.step(), true).clear());
      images.values().forEach(values -> values.tailMap(event.step(), true).clear());
      histograms.values().forEach(values -> values.tailMap(event.step(), true).clear());
    }
    for (Object summary : fields.getOrDefault(5, List.of())) {
      boolean numbers = false;
      for (Object value : fields((byte[]) summary).getOrDefault(1, List.of())) {
        Map<Integer, List<Object>> parts = fields((byte[]) value);
        String tag = new String((byte[]) parts.get(1).get(0), StandardCharsets.UTF_8);
        if (parts.containsKey(2)) {
          numbers = true;
          scalars
              .computeIfAbsent(tag, name -> new TreeMap<>())
              .put(event.step(), ((Float) parts.get(2).get(0)).doubleValue());
        } else if (parts.containsKey(5)) {
          byte[] counts = (byte[]) fields((byte[]) parts.get(5).get(0)).get(7).get(0);
          double[] buckets = new double[counts.length / Double.BYTES];
          ByteBuffer.wrap(counts).order(ByteOrder.LITTLE_ENDIAN).asDoubleBuffer().get(buckets);
          histograms.computeIfAbsent(tag, name -> new TreeMap<>()).put(event.step(), buckets);
        } else {
          byte[] image = (byte[]) fields((byte[]) parts.get(4).get(0)).get(4).get(0);
          images.computeIfAbsent(tag, name -> new TreeMap<>()).put(event.step(), image);
        }
      }
      if (numbers) {
        steps.add(event.step());
      }
    }
  }

  /** Returns the numbers of each tag by step. */
  public Map<String, TreeMap<Long, Double>> scalars() {
    return scalars;
  }

  /** Returns the PNG files of each tag by step. */
  public Map<String, TreeMap<Long, byte[]>> images() {
    return images;
  }

  /** Returns the buckets of each tag's histograms by step. */
  public Map<String, TreeMap<Long, double[]>> histograms() {
    return histograms;
  }

  /** Returns the steps of events with numbers as the files hold them, whatever is taken back. */
  public List<Long> steps() {
    return steps;
  }

  private static Map<Integer, List<Object>> fields(byte[] message) {
    Map<Integer, List<Object>> fields = new LinkedHashMap<>();
    ByteBuffer in = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
    while (in.hasRemaining()) {
      long tag = varint(in);
      Object value =
          switch ((int) (tag & 7)) {
            case 0 -> varint(in);
            case 1 -> in.getDouble();
            case 5 -> in.getFloat();
            default -> {
              byte[] bytes = new byte[(int) varint(in)];
              in.get(bytes);
              yield bytes;
            }
          };
      fields.computeIfAbsent((int) (tag >>> 3), number -> new ArrayList<>()).add(value);
    }
    return fields;
  }

  private static long varint(ByteBuffer in) {
    long value = 0;
    byte part = in.get();
    for (int shift = 7; part < 0; shift += 7) {
      value |= (long) (part & 0x7f) << shift - 7;
      part = in.get();
      if (part >= 0) {
        return value | (long) part << shift;
      }
    }
    return part;
  }
}
