package org.latentspark.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.DataInputStream;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.latentspark.tensor.FileSystems;

/**
 * The trained model.
 *
 * @param name its folder in a checkpoint, such as {@code unet}; "" where there is none yet
 * @param parameters how many numbers it has; 0 where that is not known
 * @param configurations JSON text by file, the model's config.json first
 */
record ModelFacts(String name, long parameters, Map<String, JsonNode> configurations) {
  static final ModelFacts NONE = new ModelFacts("", 0, Map.of());

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int LONGEST_HEADER = 100_000_000;

  /** Reads the model in {@code folder} of a checkpoint. */
  static ModelFacts read(Path folder, RunFiles files) throws IOException {
    long parameters = 0;
    for (FileStatus status : files.list(folder)) {
      if (status.getPath().getName().endsWith(".safetensors")) {
        parameters += parameters(status.getPath(), files);
      }
    }
    Map<String, JsonNode> configurations = new LinkedHashMap<>();
    for (String name :
        new String[] {folder.getName() + "/config.json", "scheduler/scheduler_config.json"}) {
      JsonNode json = files.json(new Path(folder.getParent(), name));
      if (!json.isMissingNode()) {
        configurations.put(name, json);
      }
    }
    return new ModelFacts(folder.getName(), parameters, configurations);
  }

  /** Returns what kind of model it is, as the start of a sentence. */
  String title() {
    return switch (name) {
      case "unet" -> "A noise-prediction U-Net";
      case "vae" -> "An autoencoder";
      case "clip" -> "A CLIP text and image encoder";
      case "" -> "A model";
      default -> "A " + name;
    };
  }

  /** Counts from the header alone: its length in 8 bytes, then JSON with every tensor's shape. */
  private static long parameters(Path weights, RunFiles files) throws IOException {
    FileSystem fileSystem = FileSystems.of(weights, files.configuration());
    try (FSDataInputStream in = fileSystem.open(weights)) {
      long length = Long.reverseBytes(new DataInputStream(in).readLong());
      if (length < 2 || length > LONGEST_HEADER) {
        throw new IOException("header of " + length + " bytes");
      }
      long count = 0;
      for (JsonNode entry : JSON.readTree(in.readNBytes((int) length))) {
        if (entry.has("shape")) {
          long size = 1;
          for (JsonNode edge : entry.path("shape")) {
            size *= edge.asLong();
          }
          count += size;
        }
      }
      return count;
    } catch (IOException e) {
      files.remark(weights + ": its parameters cannot be counted: " + e.getMessage());
      return 0;
    }
  }
}
