package org.latentspark.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.latentspark.cli.InputException;

/**
 * What was measured on pictures that a run's checkpoints draw.
 *
 * @param evaluations results of the verb {@code evaluate}
 * @param comparisons results of the benchmark {@code samplers}
 */
record Judgements(List<JsonNode> evaluations, List<Comparison> comparisons) {
  private static final String EVALUATION = "evaluation.json";
  private static final String SAMPLERS = "samplers.json";

  /**
   * A comparison of samplers.
   *
   * @param result its samplers.json
   * @param grids the samplers' pictures as data URIs, "" where there are none
   */
  record Comparison(JsonNode result, List<String> grids) {}

  /**
   * Reads what lies in {@code <run>/evaluations/*} and in the named folders.
   *
   * @throws InputException when a named folder holds neither result
   */
  static Judgements read(Path run, List<String> named, RunFiles files) throws IOException {
    Judgements found = new Judgements(new ArrayList<>(), new ArrayList<>());
    for (FileStatus folder : files.list(new Path(run, "evaluations"))) {
      found.add(folder.getPath(), files);
    }
    for (String folder : named) {
      if (!found.add(new Path(folder), files)) {
        throw new InputException(
            "evaluations = %s: holds neither %s nor %s".formatted(folder, EVALUATION, SAMPLERS));
      }
    }
    return found;
  }

  private boolean add(Path folder, RunFiles files) throws IOException {
    JsonNode evaluation = files.json(new Path(folder, EVALUATION));
    if (evaluation.isObject()) {
      evaluations.add(evaluation);
    }
    JsonNode samplers = files.json(new Path(folder, SAMPLERS));
    if (samplers.isObject()) {
      List<String> grids = new ArrayList<>();
      for (JsonNode sampler : samplers.path("samplers")) {
        Optional<byte[]> png = files.bytes(new Path(folder, sampler.path("grid").asText("none")));
        grids.add(png.isPresent() ? EmbeddedPicture.dataUri(png.get()).orElse("") : "");
      }
      comparisons.add(new Comparison(samplers, grids));
    }
    return evaluation.isObject() || samplers.isObject();
  }
}
