package org.latentspark.model;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.latentspark.cli.InputException;
import org.latentspark.tensor.FileSystems;
import org.latentspark.tensor.Parameter;
import org.latentspark.tensor.ParameterTable;
import org.latentspark.tensor.SafetensorsEntry;
import org.latentspark.tensor.SafetensorsShards;
import org.latentspark.tensor.SafetensorsType;

/**
 * A published model on any Hadoop file system: {@code config.json} beside safetensors weights, as
 * diffusers and transformers lay it out.
 */
public final class ModelDirectory {
  private static final String CONFIG = "config.json";
  private static final long FILE_BYTES = 5_000_000_000L;
  private final Path directory;
  private final Configuration configuration;

  /** The ecosystem's two names for weights. */
  public enum Layout {
    /** {@code diffusion_pytorch_model.safetensors}: U-Net and autoencoder. */
    DIFFUSERS("diffusion_pytorch_model"),
    /** {@code model.safetensors}: CLIP. */
    TRANSFORMERS("model");

    private final String stem;

    Layout(String stem) {
      this.stem = stem;
    }
  }

  /** Names a directory, which need not exist yet. */
  public ModelDirectory(Path directory, Configuration configuration) {
    this.directory = directory;
    this.configuration = configuration;
  }

  /** Returns the directory. */
  public Path path() {
    return directory;
  }

  /**
   * Returns the text of {@code config.json}.
   *
   * @throws InputException when there is none
   */
  public String configText() throws IOException {
    Path path = new Path(directory, CONFIG);
    try (InputStream in = fileSystem().open(path)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (FileNotFoundException e) {
      throw new InputException("There is no " + path + ", so no model", e);
    }
  }

  /**
   * Returns what {@code parser}, such as {@code AutoencoderKLConfig::fromJson}, makes of {@code
   * config.json}.
   *
   * @throws InputException naming the file, where the parser throws IllegalArgumentException
   */
  public <T> T config(Function<String, T> parser) throws IOException {
    String text = configText();
    try {
      return parser.apply(text);
    } catch (IllegalArgumentException e) {
      throw new InputException(directory + ": " + e.getMessage(), e);
    }
  }

  /**
   * Gives a model memory of its own on the CPU and loads its weights, as {@link
   * #load(ParameterTable, Tensor, WeightNames)} does; returns the model.
   */
  public <M extends TorchModel> M load(M model, WeightNames names) throws IOException {
    ParameterTable table = model.parameters();
    table.allocate();
    load(table, table.values(), names);
    return model;
  }

  /** Loads weights of exactly the table's names into the vector the table is bound to. */
  public void load(ParameterTable table) throws IOException {
    load(table, table.values(), WeightNames.EXACT);
  }

  /**
   * Loads fp32, fp16, bf16 or fp64 weights into {@code flat}, a vector of the table's length on any
   * device.
   *
   * @throws InputException listing every missing, surplus and misshapen tensor, before any value is
   *     loaded
   */
  public void load(ParameterTable table, Tensor flat, WeightNames names) throws IOException {
    Path weights = weights();
    try (SafetensorsShards shards = SafetensorsShards.open(weights, configuration)) {
      Map<SafetensorsEntry, Parameter> plan = plan(weights, shards, table, names);
      for (Map.Entry<SafetensorsEntry, Parameter> step : plan.entrySet()) {
        try (PointerScope scope = new PointerScope()) {
          Tensor target = ParameterTable.view(flat.detach(), step.getValue());
          shards.read(step.getKey().name(), target);
        }
      }
    }
  }

  /** Saves the values that the model is bound to, in fp32. */
  public void save(TorchModel model, Layout layout) throws IOException {
    save(model, model.parameters().values(), layout, SafetensorsType.F32);
  }

  /**
   * Saves {@code flat}, a vector of the model's length such as its moving average, with the model's
   * {@code config.json}; files of the same names are replaced. Weights of more than 5 GB become
   * several files and an index, as diffusers splits them.
   */
  public void save(TorchModel model, Tensor flat, Layout layout, SafetensorsType type)
      throws IOException {
    save(model, flat, layout, type, FILE_BYTES);
  }

  void save(TorchModel model, Tensor flat, Layout layout, SafetensorsType type, long fileBytes)
      throws IOException {
    FileSystem fileSystem = fileSystem();
    fileSystem.mkdirs(directory);
    new WeightFiles(fileSystem, directory, layout.stem)
        .write(model.parameters().parameters(), flat, type, fileBytes);
    try (OutputStream out = fileSystem.create(new Path(directory, CONFIG))) {
      out.write(model.configJson().getBytes(StandardCharsets.UTF_8));
    }
  }

  /** Returns the SHA-256, in hexadecimal, of the weights; of several files, by name, in a row. */
  public String fingerprint() throws IOException {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java has SHA-256", e);
    }
    byte[] buffer = new byte[1 << 20];
    for (Path file : SafetensorsShards.files(weights(), configuration)) {
      try (InputStream in = fileSystem().open(file)) {
        for (int length = in.read(buffer); length >= 0; length = in.read(buffer)) {
          digest.update(buffer, 0, length);
        }
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private Path weights() throws IOException {
    List<String> tried = new ArrayList<>();
    for (Layout layout : Layout.values()) {
      for (String suffix :
          List.of(".safetensors", SafetensorsShards.INDEX_SUFFIX, ".fp16.safetensors")) {
        Path path = new Path(directory, layout.stem + suffix);
        if (fileSystem().exists(path)) {
          return path;
        }
        tried.add(path.getName());
      }
    }
    throw new InputException(
        directory + " has no safetensors weights (pickles are never read); looked for " + tried);
  }

  private static Map<SafetensorsEntry, Parameter> plan(
      Path weights, SafetensorsShards shards, ParameterTable table, WeightNames names) {
    Map<SafetensorsEntry, Parameter> plan = new LinkedHashMap<>();
    Map<String, Parameter> missing = new LinkedHashMap<>();
    table.parameters().forEach(parameter -> missing.put(parameter.name(), parameter));
    List<String> problems = new ArrayList<>();
    for (SafetensorsEntry entry : shards.entries().values()) {
      String name = names.rename().apply(entry.name());
      Parameter parameter = table.find(name);
      if (parameter == null) {
        if (!names.surplus().test(name)) {
          problems.add("surplus: " + entry.name());
        }
      } else if (missing.remove(name) == null) {
        problems.add("twice: " + entry.name());
      } else {
        plan.put(entry, parameter);
        requireFit(entry, parameter, problems);
      }
    }
    missing.values().forEach(parameter -> problems.add("missing: " + parameter.name()));
    if (!problems.isEmpty()) {
      throw new InputException(
          weights + " does not fit the model:\n  " + String.join("\n  ", problems));
    }
    return plan;
  }

  private static void requireFit(
      SafetensorsEntry entry, Parameter parameter, List<String> problems) {
    List<Long> shape = Arrays.stream(parameter.shape()).boxed().toList();
    if (!entry.shape().equals(shape)) {
      problems.add("shape: %s is %s, not %s".formatted(entry.name(), entry.shape(), shape));
    } else if (!entry.type().floating()) {
      problems.add("dtype: %s is %s, not floating".formatted(entry.name(), entry.type()));
    }
  }

  private FileSystem fileSystem() throws IOException {
    return FileSystems.of(directory, configuration);
  }
}
