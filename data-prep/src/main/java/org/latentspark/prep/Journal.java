package org.latentspark.prep;

import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.latentspark.tensor.CompleteFile;
import org.latentspark.tensor.FileSystems;

/**
 * The record, beside an unfinished dataset, of the shards that are done: a run that was killed goes
 * on from there. Only the driver writes it, one small file a shard, so that a shard is in it once
 * whatever the number of attempts.
 */
final class Journal {
  /** The folder of the journal; it goes with the end of a run. */
  static final String FOLDER = "_work";

  private static final String PLAN = "plan.json";
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  private final Path folder;
  private final Configuration configuration;
  private final FileSystem files;

  Journal(Path output, Configuration configuration) throws IOException {
    this.folder = new Path(output, FOLDER);
    this.configuration = configuration;
    this.files = FileSystems.of(folder, configuration);
  }

  /**
   * How the work is cut.
   *
   * @param partitions number of shards
   * @param base fingerprint of the dataset that the output held at the start, empty if none
   * @param settings what decides on rows and shards, by the configuration's keys
   */
  record Plan(int partitions, String base, SortedMap<String, String> settings) {}

  /** Returns the plan of the unfinished work. */
  Optional<Plan> plan() throws IOException {
    Path path = new Path(folder, PLAN);
    Optional<byte[]> plan = CompleteFile.find(path, configuration);
    return plan.isEmpty() ? Optional.empty() : Optional.of(JSON.readValue(plan.get(), Plan.class));
  }

  /** Begins the record of new work. */
  void begin(Plan plan) throws IOException {
    CompleteFile.write(new Path(folder, PLAN), JSON.writeValueAsBytes(plan), configuration);
  }

  /** Adds a shard that is done. */
  void add(FinishedShard shard) throws IOException {
    CompleteFile.write(
        new Path(folder, "shard-%06d.json".formatted(shard.shard())),
        JSON.writeValueAsBytes(shard),
        configuration);
  }

  /** Returns the shards that are done. */
  List<FinishedShard> finished() throws IOException {
    List<FinishedShard> finished = new ArrayList<>();
    for (FileStatus file : files.listStatus(folder)) {
      if (file.getPath().getName().matches("shard-\\d{6,}\\.json")) {
        byte[] json = CompleteFile.read(file.getPath(), configuration);
        finished.add(JSON.readValue(json, FinishedShard.class));
      }
    }
    return finished;
  }

  /** Removes the record; the plan goes last, so that a removal that was cut short is repeated. */
  void clear() throws IOException {
    try {
      for (FileStatus file : files.listStatus(folder)) {
        if (file.getPath().getName().matches("\\.?(shard-.*|plan\\.json\\..*)")) {
          files.delete(file.getPath(), false);
        }
      }
    } catch (FileNotFoundException e) {
      return;
    }
    files.delete(new Path(folder, PLAN), false);
    if (files.listStatus(folder).length == 0) {
      files.delete(folder, false);
    }
  }
}
