package org.latentspark.averaging;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.latentspark.model.TorchModel;
import org.latentspark.tensor.Tensors;

/** Keeps the state as raw floats in a folder; a fresh run starts from the seed's values. */
record FileStateStore(String folder, long seed) implements StateStore {
  private static final long serialVersionUID = 1;

  @Override
  public String newest() {
    long round = round(Path.of(folder));
    return round > 0 ? Long.toString(round) : START;
  }

  @Override
  public Progress restore(String state, TorchModel model, TrainingVectors vectors)
      throws IOException {
    if (state.equals(START)) {
      Tensor own = model.parameters().values();
      model.parameters().initialize(seed);
      vectors.average().copy_(own);
      vectors.movingAverage().copy_(own);
      return Progress.NONE;
    }
    for (Map.Entry<String, Tensor> entry : named(vectors).entrySet()) {
      float[] values = floats(Path.of(folder, entry.getKey()));
      entry.getValue().copy_(Tensors.of(values, values.length));
    }
    String[] saved = Files.readString(Path.of(folder, "rounds")).split(" ");
    return new Progress(
        Long.parseLong(saved[0]), Long.parseLong(saved[1]), Long.parseLong(saved[2]), 2);
  }

  /** Returns after which round the state was saved that is there; 0 for none. */
  static long round(Path folder) {
    try {
      return Long.parseLong(Files.readString(folder.resolve("rounds")).split(" ")[0]);
    } catch (NoSuchFileException e) {
      return 0;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Reads a vector that {@link #save} wrote. */
  static float[] floats(Path file) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    float[] values = new float[bytes.remaining() / Float.BYTES];
    bytes.asFloatBuffer().get(values);
    return values;
  }

  @Override
  public String save(TorchModel model, TrainingVectors vectors, Progress progress)
      throws IOException {
    Files.createDirectories(Path.of(folder));
    for (Map.Entry<String, Tensor> entry : named(vectors).entrySet()) {
      float[] values = Tensors.floats(entry.getValue());
      ByteBuffer bytes =
          ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      bytes.asFloatBuffer().put(values);
      try (RandomAccessFile file =
          new RandomAccessFile(Path.of(folder, entry.getKey()).toFile(), "rw")) {
        file.write(bytes.array());
      }
    }
    Files.writeString(
        Path.of(folder, "rounds"),
        progress.round() + " " + progress.step() + " " + progress.examples());
    return Long.toString(progress.round());
  }

  private static Map<String, Tensor> named(TrainingVectors vectors) {
    Map<String, Tensor> named = new LinkedHashMap<>(vectors.moments());
    named.put("average", vectors.average());
    named.put("moving_average", vectors.movingAverage());
    return named;
  }
}
