package org.latentspark.tensor;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.bytedeco.pytorch.Tensor;
import org.latentspark.cli.InputException;

/** The tensors of one safetensors file, or of several that a published index lists. */
public final class SafetensorsShards implements Closeable {
  /** How the name of an index ends. */
  public static final String INDEX_SUFFIX = ".safetensors.index.json";

  private static final ObjectMapper MAPPER = new ObjectMapper();
  private final Map<String, SafetensorsReader> readers = new LinkedHashMap<>();
  private final Map<String, SafetensorsEntry> entries = new LinkedHashMap<>();
  private final List<SafetensorsReader> open = new ArrayList<>();

  private SafetensorsShards() {}

  /**
   * Opens a {@code *.safetensors} file, or all files of a {@code *.safetensors.index.json}, and
   * checks their headers.
   *
   * @throws InputException when a file is malformed or the index does not fit the files
   */
  public static SafetensorsShards open(Path path, Configuration configuration) throws IOException {
    SafetensorsShards shards = new SafetensorsShards();
    try {
      for (Path file : files(path, configuration)) {
        shards.add(file, configuration);
      }
      if (isIndex(path)) {
        requireSame(path, index(path, configuration), shards.readers);
      }
      return shards;
    } catch (IOException | RuntimeException e) {
      shards.close();
      throw e;
    }
  }

  /** Returns the safetensors files behind a path that {@link #open} takes, by name. */
  public static List<Path> files(Path path, Configuration configuration) throws IOException {
    if (!isIndex(path)) {
      return List.of(path);
    }
    TreeSet<String> names = new TreeSet<>(index(path, configuration).values());
    return names.stream().map(name -> new Path(path.getParent(), name)).toList();
  }

  /** Returns the tensors by name, file by file in the order of their data. */
  public Map<String, SafetensorsEntry> entries() {
    return Collections.unmodifiableMap(entries);
  }

  /** Reads a tensor into {@code target}; see {@link SafetensorsReader#read(String, Tensor)}. */
  public void read(String name, Tensor target) throws IOException {
    SafetensorsReader reader = readers.get(name);
    if (reader == null) {
      throw new IllegalArgumentException("No file has a tensor " + name);
    }
    reader.read(name, target);
  }

  @Override
  public void close() throws IOException {
    for (SafetensorsReader reader : open) {
      reader.close();
    }
  }

  private void add(Path file, Configuration configuration) throws IOException {
    SafetensorsReader reader = SafetensorsReader.open(file, configuration);
    open.add(reader);
    reader
        .entries()
        .forEach(
            (name, entry) -> {
              if (readers.putIfAbsent(name, reader) != null) {
                throw new InputException(file + ": tensor " + name + " is in another file too");
              }
              entries.put(name, entry);
            });
  }

  private static boolean isIndex(Path path) {
    return path.getName().endsWith(INDEX_SUFFIX);
  }

  private static Map<String, String> index(Path path, Configuration configuration)
      throws IOException {
    Map<String, String> files = new TreeMap<>();
    JsonNode map = json(path, configuration).path("weight_map");
    for (Map.Entry<String, JsonNode> field : map.properties()) {
      String file = field.getValue().asText();
      // A plain name only: an index must not lead out of its directory.
      if (!file.matches("[A-Za-z0-9._-]+\\.safetensors")) {
        throw new InputException(
            path + ": weight_map sends " + field.getKey() + " to " + field.getValue());
      }
      files.put(field.getKey(), file);
    }
    if (files.isEmpty()) {
      throw new InputException(path + " has no weight_map");
    }
    return files;
  }

  private static JsonNode json(Path path, Configuration configuration) throws IOException {
    try (var in = FileSystems.of(path, configuration).open(path)) {
      return MAPPER.readTree((InputStream) in);
    } catch (JsonProcessingException e) {
      throw new InputException(path + " is not JSON: " + e.getMessage(), e);
    }
  }

  private static void requireSame(
      Path path, Map<String, String> index, Map<String, SafetensorsReader> readers) {
    TreeSet<String> missing = new TreeSet<>(index.keySet());
    missing.removeAll(readers.keySet());
    TreeSet<String> unlisted = new TreeSet<>(readers.keySet());
    unlisted.removeAll(index.keySet());
    if (!missing.isEmpty() || !unlisted.isEmpty()) {
      throw new InputException(
          "%s does not fit its files: missing there: %s; not in the index: %s"
              .formatted(path, missing, unlisted));
    }
  }
}
