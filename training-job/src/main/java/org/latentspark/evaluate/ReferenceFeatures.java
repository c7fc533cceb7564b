package org.latentspark.evaluate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.bytedeco.pytorch.Tensor;
import org.latentspark.latents.Digests;
import org.latentspark.tensor.CompleteFile;
import org.latentspark.tensor.FileSystems;
import org.latentspark.tensor.SafetensorsReader;
import org.latentspark.tensor.SafetensorsWriter;

/**
 * Keeps the features of the real pictures, which are the same for every checkpoint: {@code
 * reference.safetensors}, and {@code reference.json}, written last, with what they were made from
 * and their checksum.
 */
final class ReferenceFeatures {
  static final String FEATURES = "reference.safetensors";
  static final String RECORD = "reference.json";

  private static final String TENSOR = "features";
  private static final String CHECKSUM = "features_sha256";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path directory;
  private final Configuration configuration;
  private final Map<String, String> origin;

  /**
   * Names features.
   *
   * @param directory that keeps them
   * @param origin fingerprints of all that they depend on
   */
  ReferenceFeatures(Path directory, Map<String, String> origin, Configuration configuration) {
    this.directory = directory;
    this.origin = origin;
    this.configuration = configuration;
  }

  /** Returns the kept features [n, d] if they have the same origin, else makes and keeps them. */
  Tensor readOr(Supplier<Tensor> maker) throws IOException {
    Path file = new Path(directory, FEATURES);
    Optional<JsonNode> expected = record();
    if (expected.isPresent() && expected.equals(kept())) {
      try (SafetensorsReader reader = SafetensorsReader.open(file, configuration)) {
        return reader.read(TENSOR);
      }
    }
    Tensor features = maker.get();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    SafetensorsWriter.write(bytes, Map.of(TENSOR, features));
    CompleteFile.write(file, bytes.toByteArray(), configuration);
    CompleteFile.write(
        new Path(directory, RECORD),
        JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(record().orElseThrow()),
        configuration);
    return features;
  }

  /** Returns what the record must say for the features that are there, if any are. */
  private Optional<JsonNode> record() throws IOException {
    Path file = new Path(directory, FEATURES);
    try (InputStream in = FileSystems.of(file, configuration).open(file)) {
      ObjectNode record = JSON.createObjectNode();
      origin.forEach(record::put);
      return Optional.of(record.put(CHECKSUM, Digests.sha256Hex(in)));
    } catch (FileNotFoundException e) {
      return Optional.empty();
    }
  }

  private Optional<JsonNode> kept() throws IOException {
    Path file = new Path(directory, RECORD);
    try {
      return Optional.of(JSON.readTree(CompleteFile.read(file, configuration)));
    } catch (FileNotFoundException | JsonProcessingException e) {
      return Optional.empty();
    }
  }
}
