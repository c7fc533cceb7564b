package org.latentspark.model;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.bytedeco.pytorch.Tensor;
import org.latentspark.tensor.Parameter;
import org.latentspark.tensor.SafetensorsShards;
import org.latentspark.tensor.SafetensorsType;
import org.latentspark.tensor.SafetensorsWriter;

/** Writes a model's weights as one safetensors file, or as several with the ecosystem's index. */
final class WeightFiles {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private final FileSystem fileSystem;
  private final Path directory;
  private final String stem;

  WeightFiles(FileSystem fileSystem, Path directory, String stem) {
    this.fileSystem = fileSystem;
    this.directory = directory;
    this.stem = stem;
  }

  /** Writes files of at most {@code limit} bytes of data, each of one parameter or more. */
  void write(Collection<Parameter> parameters, Tensor flat, SafetensorsType type, long limit)
      throws IOException {
    List<List<Parameter>> shards = split(parameters, limit / type.bytes());
    Path single = new Path(directory, stem + ".safetensors");
    Path index = new Path(directory, stem + SafetensorsShards.INDEX_SUFFIX);
    // Loaders take whichever they find first, so the other kind must not stay from an earlier save.
    fileSystem.delete(shards.size() == 1 ? index : single, false);
    if (shards.size() == 1) {
      write(single, shards.get(0), flat, type);
      return;
    }
    ObjectNode json = MAPPER.createObjectNode();
    long values = parameters.stream().mapToLong(Parameter::count).sum();
    json.putObject("metadata").put("total_size", values * type.bytes());
    ObjectNode map = json.putObject("weight_map");
    for (int shard = 0; shard < shards.size(); shard++) {
      String name = "%s-%05d-of-%05d.safetensors".formatted(stem, shard + 1, shards.size());
      write(new Path(directory, name), shards.get(shard), flat, type);
      shards.get(shard).forEach(parameter -> map.put(parameter.name(), name));
    }
    try (OutputStream out = fileSystem.create(index)) {
      out.write(MAPPER.writerWithDefaultPrettyPrinter().writeValueAsBytes(json));
    }
  }

  private void write(Path path, List<Parameter> parameters, Tensor flat, SafetensorsType type)
      throws IOException {
    try (OutputStream out = fileSystem.create(path)) {
      SafetensorsWriter.write(out, parameters, flat, type);
    }
  }

  private static List<List<Parameter>> split(Collection<Parameter> parameters, long limit) {
    List<List<Parameter>> shards = new ArrayList<>();
    List<Parameter> shard = new ArrayList<>();
    shards.add(shard);
    long count = 0;
    for (Parameter parameter : parameters) {
      if (!shard.isEmpty() && count + parameter.count() > limit) {
        shard = new ArrayList<>();
        shards.add(shard);
        count = 0;
      }
      shard.add(parameter);
      count += parameter.count();
    }
    return shards;
  }
}
