package org.latentspark.checkpoint;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.latentspark.averaging.TrainingVectors;
import org.latentspark.events.Histogram;
import org.latentspark.tensor.FileSystems;
import org.latentspark.tensor.Parameter;
import org.latentspark.tensor.ParameterTable;
import org.latentspark.tensor.Tensors;

/**
 * How the weights of a model's parts are spread, and AdamW's running mean of their gradients: a
 * small file of each checkpoint, so that nobody reads gigabytes to look at them.
 *
 * <p>A part is what the first component of the published names says, such as {@code down_blocks};
 * attention layers are a part of their own, wherever they are.
 */
public final class Histograms {
  static final String FILE_NAME = "histograms.json";
  static final int BUCKETS = 64;

  /** Values looked at together: what is made on the way stays small beside the vectors. */
  private static final long CHUNK = 1 << 22;

  private static final ObjectMapper JSON = new ObjectMapper();

  private Histograms() {}

  /** Returns the histograms that a checkpoint keeps, by tag, such as {@code weights/mid_block}. */
  public static Map<String, Histogram> read(Path checkpoint, Configuration hadoop)
      throws IOException {
    Path file = new Path(checkpoint, FILE_NAME);
    try (InputStream in = FileSystems.of(file, hadoop).open(file)) {
      return JSON.readValue(in, new TypeReference<TreeMap<String, Histogram>>() {});
    }
  }

  /** Returns the text of the file for a state. */
  static String json(ParameterTable table, TrainingVectors vectors) throws IOException {
    return JSON.writeValueAsString(of(table, vectors));
  }

  static Map<String, Histogram> of(ParameterTable table, TrainingVectors vectors) {
    Map<String, List<Parameter>> parts = new LinkedHashMap<>();
    for (Parameter parameter : table.parameters()) {
      parts.computeIfAbsent(part(parameter.name()), name -> new ArrayList<>()).add(parameter);
    }
    Tensor gradients = vectors.moments().get("exp_avg");
    Map<String, Histogram> histograms = new TreeMap<>();
    parts.forEach(
        (part, parameters) -> {
          histograms.put("weights/" + part, of(vectors.average(), parameters));
          if (gradients != null) {
            histograms.put("gradients/" + part, of(gradients, parameters));
          }
        });
    return histograms;
  }

  static String part(String name) {
    return name.contains("attn") || name.contains("attention")
        ? "attention"
        : name.substring(0, name.indexOf('.') < 0 ? name.length() : name.indexOf('.'));
  }

  private static Histogram of(Tensor vector, List<Parameter> parameters) {
    double least = Double.POSITIVE_INFINITY;
    double greatest = Double.NEGATIVE_INFINITY;
    double sum = 0;
    double squares = 0;
    List<long[]> chunks = chunks(parameters);
    for (long[] chunk : chunks) {
      try (NoGradGuard guard = new NoGradGuard();
          PointerScope scope = new PointerScope()) {
        Tensor values = vector.narrow(0, chunk[0], chunk[1]);
        least = Math.min(least, values.min().item_double());
        greatest = Math.max(greatest, values.max().item_double());
        sum += values.sum().item_double();
        double norm = Tensors.norm(values);
        squares += norm * norm;
      }
    }
    long[] buckets = new long[BUCKETS];
    for (long[] chunk : chunks) {
      if (least == greatest) {
        buckets[0] += chunk[1];
        continue;
      }
      try (NoGradGuard guard = new NoGradGuard();
          PointerScope scope = new PointerScope()) {
        double[] counts =
            Tensors.doubles(
                torch.histc(
                    vector.narrow(0, chunk[0], chunk[1]),
                    BUCKETS,
                    new Scalar(least),
                    new Scalar(greatest)));
        for (int i = 0; i < BUCKETS; i++) {
          buckets[i] += (long) counts[i];
        }
      }
    }
    long count = parameters.stream().mapToLong(Parameter::count).sum();
    return new Histogram(least, greatest, count, sum, squares, buckets);
  }

  /** Returns start and length of each piece of the parameters' places in a flat vector. */
  private static List<long[]> chunks(List<Parameter> parameters) {
    List<long[]> chunks = new ArrayList<>();
    for (Parameter parameter : parameters) {
      for (long from = 0; from < parameter.count(); from += CHUNK) {
        chunks.add(
            new long[] {parameter.offset() + from, Math.min(CHUNK, parameter.count() - from)});
      }
    }
    return chunks;
  }
}
