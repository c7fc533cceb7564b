package org.latentspark.report;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.latentspark.tensor.CompleteFile;
import org.latentspark.tensor.FileSystems;

/**
 * Reads a run's files, which may be absent, half written or gone a moment later: a report is made
 * while its run goes on. What is there and cannot be read becomes a remark on the page.
 */
final class RunFiles {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Configuration configuration;
  private final List<String> remarks = new ArrayList<>();

  RunFiles(Configuration configuration) {
    this.configuration = configuration;
  }

  Configuration configuration() {
    return configuration;
  }

  List<String> remarks() {
    return List.copyOf(remarks);
  }

  void remark(String text) {
    remarks.add(text);
  }

  boolean exists(Path path) throws IOException {
    return FileSystems.of(path, configuration).exists(path);
  }

  Optional<byte[]> bytes(Path path) throws IOException {
    return CompleteFile.find(path, configuration);
  }

  Optional<String> text(Path path) throws IOException {
    return bytes(path).map(bytes -> new String(bytes, StandardCharsets.UTF_8));
  }

  /** Returns the JSON in a file; a missing node where there is none. */
  JsonNode json(Path path) throws IOException {
    Optional<byte[]> bytes = bytes(path);
    if (bytes.isEmpty()) {
      return MissingNode.getInstance();
    }
    try {
      return JSON.readTree(bytes.get());
    } catch (JacksonException e) {
      remark(path + " is not JSON: " + e.getOriginalMessage());
      return MissingNode.getInstance();
    }
  }

  /** Returns what a folder holds, by name; nothing where there is no such folder. */
  List<FileStatus> list(Path folder) throws IOException {
    FileSystem files = FileSystems.of(folder, configuration);
    try {
      List<FileStatus> found = new ArrayList<>(List.of(files.listStatus(folder)));
      found.sort(Comparator.comparing(status -> status.getPath().getName()));
      return found;
    } catch (FileNotFoundException e) {
      return List.of();
    }
  }
}
