package org.latentspark.averaging;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
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
  public long restore(TorchModel model, TrainingVectors vectors) throws IOException {
    Path rounds = Path.of(folder, "rounds");
    if (!Files.exists(rounds)) {
      Tensor own = model.parameters().values();
      model.parameters().initialize(seed);
      vectors.average().copy_(own);
      vectors.movingAverage().copy_(own);
      return 0;
    }
    for (Map.Entry<String, Tensor> entry : named(vectors).entrySet()) {
      ByteBuffer bytes =
          ByteBuffer.wrap(Files.readAllBytes(Path.of(folder, entry.getKey())))
              .order(ByteOrder.LITTLE_ENDIAN);
      float[] values = new float[bytes.remaining() / Float.BYTES];
      bytes.asFloatBuffer().get(values);
      entry.getValue().copy_(Tensors.of(values, values.length));
    }
    return Long.parseLong(Files.readString(rounds));
  }

  @Override
  public void save(TorchModel model, TrainingVectors vectors, Progress progress)
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
    Files.writeString(Path.of(folder, "rounds"), Long.toString(progress.round()));
  }

  private static Map<String, Tensor> named(TrainingVectors vectors) {
    Map<String, Tensor> named = new LinkedHashMap<>(vectors.moments());
    named.put("average", vectors.average());
    named.put("moving_average", vectors.movingAverage());
    return named;
  }
}
