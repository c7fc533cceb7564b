package org.latentspark.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.latentspark.averaging.HadoopSettings;
import org.latentspark.averaging.StateStore;
import org.latentspark.averaging.TrainingVectors;
import org.latentspark.cli.InputException;
import org.latentspark.model.ModelDirectory;
import org.latentspark.model.TorchModel;
import org.latentspark.tensor.FileSystems;
import org.latentspark.tensor.SafetensorsReader;
import org.latentspark.tensor.SafetensorsType;
import org.latentspark.tensor.SafetensorsWriter;
import org.latentspark.tensor.StoppedException;

/**
 * Keeps a run's state as checkpoints that diffusers can load: {@code <model>/} and {@code
 * <model>_ema/} with config.json and safetensors, beside what a resumed run needs.
 *
 * @param run the run's directory
 * @param model the name of the model's folder, such as {@code unet}
 * @param seed the seed of the starting values
 * @param texts further text files by their path within the checkpoint, such as {@code
 *     scheduler/scheduler_config.json}
 * @param state what {@code trainer_state.json} records besides the progress
 * @param keep how many of the newest checkpoints stay
 * @param milestoneSteps checkpoints at multiples of this stay for ever; 0 for none
 * @param writing whether training goes on while one is written
 */
public record CheckpointStore(
    String run,
    String model,
    long seed,
    TreeMap<String, String> texts,
    TreeMap<String, String> state,
    int keep,
    long milestoneSteps,
    Writing writing)
    implements StateStore {
  private static final long serialVersionUID = 1;
  private static final String OPTIMIZER = "optimizer.safetensors";
  private static final String STATE = "trainer_state.json";
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  @Override
  public String newest() throws IOException {
    Configuration hadoop = HadoopSettings.here();
    return Checkpoints.of(new Path(run), hadoop).latest().map(Path::getName).orElse(START);
  }

  @Override
  public Progress restore(String name, TorchModel network, TrainingVectors vectors)
      throws IOException {
    if (name.equals(START)) {
      network.parameters().initialize(seed);
      vectors.average().copy_(network.parameters().values());
      vectors.movingAverage().copy_(network.parameters().values());
      return Progress.NONE;
    }
    Configuration hadoop = HadoopSettings.here();
    Path checkpoint = Checkpoints.of(new Path(run), hadoop).named(name);
    load(checkpoint, hadoop, network, model, vectors.average());
    load(checkpoint, hadoop, network, model + "_ema", vectors.movingAverage());
    if (!vectors.moments().isEmpty()) {
      try (SafetensorsReader reader =
          SafetensorsReader.open(new Path(checkpoint, OPTIMIZER), hadoop)) {
        for (Map.Entry<String, Tensor> moment : vectors.moments().entrySet()) {
          reader.read(moment.getKey(), moment.getValue());
        }
      }
    }
    return progress(checkpoint, hadoop);
  }

  /**
   * Checks that a checkpoint's {@code folder} holds the architecture of {@code network}; the size
   * of pictures that it was trained on ({@code sample_size}) is no part of it.
   *
   * @throws InputException when it holds another
   */
  public static void requireSameModel(
      Path checkpoint, Configuration hadoop, TorchModel network, String folder) throws IOException {
    ModelDirectory directory = new ModelDirectory(new Path(checkpoint, folder), hadoop);
    if (!architecture(directory.configText()).equals(architecture(network.configJson()))) {
      throw new InputException(
          directory.path()
              + " holds another architecture than this run trains: choose another output, or the"
              + " model settings of that run");
    }
  }

  private static JsonNode architecture(String config) throws IOException {
    JsonNode json = JSON.readTree(config);
    if (json instanceof ObjectNode object) {
      object.remove("sample_size");
    }
    return json;
  }

  private static void load(
      Path checkpoint, Configuration hadoop, TorchModel network, String folder, Tensor target)
      throws IOException {
    requireSameModel(checkpoint, hadoop, network, folder);
    new ModelDirectory(new Path(checkpoint, folder), hadoop)
        .load(network.parameters(), target, org.latentspark.model.WeightNames.EXACT);
  }

  /**
   * {@inheritDoc}
   *
   * <p>A JVM that ends gives up what it writes: an executor whose driver died would otherwise write
   * beside the run that follows.
   */
  @Override
  public String save(TorchModel network, TrainingVectors vectors, Progress progress)
      throws IOException {
    Configuration hadoop = HadoopSettings.here();
    Checkpoints checkpoints = Checkpoints.of(new Path(run), hadoop);
    Path checkpoint = checkpoints.at(progress.step());
    FileSystem fileSystem = FileSystems.of(checkpoint, hadoop);
    checkpoints.clear(checkpoint);
    new ModelDirectory(new Path(checkpoint, model), hadoop)
        .save(network, vectors.average(), ModelDirectory.Layout.DIFFUSERS, SafetensorsType.F32);
    StoppedException.ifTold(checkpoint.getName());
    new ModelDirectory(new Path(checkpoint, model + "_ema"), hadoop)
        .save(
            network, vectors.movingAverage(), ModelDirectory.Layout.DIFFUSERS, SafetensorsType.F32);
    StoppedException.ifTold(checkpoint.getName());
    if (!vectors.moments().isEmpty()) {
      try (PointerScope scope = new PointerScope();
          OutputStream out = fileSystem.create(new Path(checkpoint, OPTIMIZER), true)) {
        SafetensorsWriter.write(out, vectors.moments());
      }
    }
    write(
        fileSystem,
        new Path(checkpoint, Histograms.FILE_NAME),
        Histograms.json(network.parameters(), vectors));
    for (Map.Entry<String, String> text : texts.entrySet()) {
      write(fileSystem, new Path(checkpoint, text.getKey()), text.getValue());
    }
    ObjectNode record = JSON.createObjectNode();
    record.set("progress", JSON.valueToTree(progress));
    record.put("seed", seed);
    state.forEach(record::put);
    write(fileSystem, new Path(checkpoint, STATE), JSON.writeValueAsString(record));
    StoppedException.ifTold(checkpoint.getName());
    checkpoints.publish(checkpoint);
    checkpoints.prune(checkpoint, keep, milestoneSteps);
    return checkpoint.getName();
  }

  /** Returns how far the run had come at a checkpoint. */
  public static Progress progress(Path checkpoint, Configuration hadoop) throws IOException {
    return JSON.treeToValue(record(checkpoint, hadoop).get("progress"), Progress.class);
  }

  /** Returns what a checkpoint records under {@code name} besides the progress. */
  public static Optional<String> recorded(Path checkpoint, String name, Configuration hadoop)
      throws IOException {
    return Optional.ofNullable(record(checkpoint, hadoop).get(name)).map(JsonNode::asText);
  }

  private static JsonNode record(Path checkpoint, Configuration hadoop) throws IOException {
    Path path = new Path(checkpoint, STATE);
    try (InputStream in = FileSystems.of(path, hadoop).open(path)) {
      return JSON.readTree(in.readAllBytes());
    }
  }

  private static void write(FileSystem fileSystem, Path path, String text) throws IOException {
    try (OutputStream out = fileSystem.create(path, true)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
  }
}
