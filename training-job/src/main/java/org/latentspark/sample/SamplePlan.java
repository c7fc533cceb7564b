package org.latentspark.sample;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * All that decides on the bytes of a run's pictures, and where they go.
 *
 * @param output directory of the pictures
 * @param source the models that draw
 * @param sha256 fingerprints of their weights by part
 * @param prompts how many prompts there are
 * @param promptsSha256 fingerprint of all prompts in their order
 * @param picturesPerPrompt how many of each
 * @param seed of the run
 * @param draw how pictures are drawn
 * @param drawing the same by the configuration's keys
 */
record SamplePlan(
    String output,
    PictureModel.Source source,
    SortedMap<String, String> sha256,
    long prompts,
    String promptsSha256,
    int picturesPerPrompt,
    long seed,
    DrawSettings draw,
    SortedMap<String, String> drawing)
    implements Serializable {
  /** The file under the output that says what the pictures there were drawn with. */
  static final String FILE_NAME = "plan.json";

  /** Keys that change no picture, or stand in the plan by what they lead to. */
  private static final Set<String> ELSEWHERE =
      Set.of(
          "checkpoint",
          "encoders",
          "output",
          "existing",
          "prompts",
          "prompts-file",
          "negative-prompt",
          "grid.pictures",
          "grid.columns",
          "grid.tile");

  private static final ObjectMapper JSON = new ObjectMapper();

  static SamplePlan of(
      SampleSettings settings, Path output, PictureModel model, long prompts, String promptsSha256)
      throws IOException {
    SortedMap<String, String> drawing = new TreeMap<>();
    leaves("", JSON.readTree(settings.record()), drawing);
    drawing.keySet().removeAll(ELSEWHERE);
    return new SamplePlan(
        output.toString(),
        model.source(),
        model.sha256(),
        prompts,
        promptsSha256,
        settings.count(),
        settings.seed(),
        settings.draw(),
        drawing);
  }

  private static void leaves(String path, JsonNode json, Map<String, String> leaves) {
    for (Map.Entry<String, JsonNode> field : json.properties()) {
      String key = path.isEmpty() ? field.getKey() : path + "." + field.getKey();
      if (field.getValue().isObject()) {
        leaves(key, field.getValue(), leaves);
      } else {
        leaves.put(key, field.getValue().asText());
      }
    }
  }

  /** Returns what must be the same for pictures of one output. */
  SortedMap<String, String> identity() {
    SortedMap<String, String> identity = new TreeMap<>(drawing);
    sha256.forEach((part, digest) -> identity.put(part + " (SHA-256)", digest));
    identity.put("prompts", Long.toString(prompts));
    identity.put("prompts (SHA-256)", promptsSha256);
    return identity;
  }

  /** Returns how the pictures are drawn as JSON on one line. */
  String parameters() {
    try {
      return JSON.writeValueAsString(drawing);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("Texts are always JSON", e);
    }
  }

  long pictures() {
    return prompts * picturesPerPrompt;
  }

  long batches() {
    return (pictures() + draw.batchSize() - 1) / draw.batchSize();
  }

  /** Returns the pictures of a batch; the last one may have fewer. */
  List<Picture> batch(long batch, Configuration configuration) throws IOException {
    long from = batch * draw.batchSize();
    return pictures(from, Math.min(pictures(), from + draw.batchSize()), configuration);
  }

  /** Returns the pictures with the numbers from {@code from} to before {@code to}. */
  List<Picture> pictures(long from, long to, Configuration configuration) throws IOException {
    long firstPrompt = from / picturesPerPrompt;
    List<Prompt> rows =
        new PromptShelf(new Path(output), configuration)
            .read(firstPrompt, (to - 1) / picturesPerPrompt + 1);
    List<Picture> pictures = new ArrayList<>();
    for (long number = from; number < to; number++) {
      Prompt prompt = rows.get((int) (number / picturesPerPrompt - firstPrompt));
      pictures.add(Picture.of(number, picturesPerPrompt, prompt, seed));
    }
    return pictures;
  }
}
