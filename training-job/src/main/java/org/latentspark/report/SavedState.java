package org.latentspark.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.latentspark.checkpoint.Checkpoints;
import org.latentspark.tensor.FileSystems;

/**
 * One checkpoint of a run. Lengths are compared, checksums are not: a report must not read
 * gigabytes.
 *
 * @param path the checkpoint's directory
 * @param state its {@code trainer_state.json}; a missing node where there is none
 * @param bytes size of the listed files
 * @param problem what makes it incomplete, or ""
 */
record SavedState(Path path, JsonNode state, long bytes, String problem) {
  private static final String EMA = "_ema";

  /** Reads all checkpoints of a run, oldest first. */
  static List<SavedState> list(Path run, RunFiles files) throws IOException {
    List<SavedState> states = new ArrayList<>();
    for (Path path : Checkpoints.of(run, files.configuration()).list()) {
      states.add(read(path, files));
    }
    return states;
  }

  private static SavedState read(Path path, RunFiles files) throws IOException {
    JsonNode state = files.json(new Path(path, "trainer_state.json"));
    JsonNode listed = files.json(new Path(path, "checkpoint.json")).path("files");
    FileSystem fileSystem = FileSystems.of(path, files.configuration());
    String problem = listed.isEmpty() ? "no checkpoint.json" : "";
    long bytes = 0;
    for (Map.Entry<String, JsonNode> file : listed.properties()) {
      Path part = new Path(path, file.getKey());
      long length = file.getValue().path("bytes").asLong();
      bytes += length;
      if (!fileSystem.exists(part)) {
        problem = file.getKey() + " is missing";
      } else if (fileSystem.getFileStatus(part).getLen() != length) {
        problem = file.getKey() + " has another length than checkpoint.json says";
      }
    }
    return new SavedState(path, state, bytes, problem);
  }

  /** Returns the newest complete one. */
  static Optional<SavedState> newest(List<SavedState> states) {
    List<SavedState> newestFirst = new ArrayList<>(states);
    Collections.reverse(newestFirst);
    return newestFirst.stream().filter(SavedState::complete).findFirst();
  }

  boolean complete() {
    return problem.isEmpty();
  }

  String name() {
    return path.getName();
  }

  JsonNode progress() {
    return state.path("progress");
  }

  /** Returns the folder of the trained model, such as {@code unet}: it has an average beside it. */
  Optional<Path> model(RunFiles files) throws IOException {
    for (FileStatus status : files.list(path)) {
      String name = status.getPath().getName();
      if (status.isDirectory() && name.endsWith(EMA)) {
        return Optional.of(new Path(path, name.substring(0, name.length() - EMA.length())));
      }
    }
    return Optional.empty();
  }
}
