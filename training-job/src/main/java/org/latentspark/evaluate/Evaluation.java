package org.latentspark.evaluate;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;

/**
 * What was found out about a checkpoint.
 *
 * @param checkpoint its directory
 * @param pairs how many held-out pairs were measured
 * @param features columns of the image features
 * @param loss mean held-out loss
 * @param buckets the same in each part of the schedule, the least noisy first
 * @param bucketWidth time steps in each part
 * @param distances of drawn from real pictures
 * @param inception the same on Inception's features, where its weights are given
 * @param clipScore of drawn pictures and their captions
 * @param realClipScore of the real pictures and the same captions
 * @param origin fingerprints of what it was measured with
 * @param seconds that it took
 */
record Evaluation(
    String checkpoint,
    int pairs,
    long features,
    Interval loss,
    List<Interval> buckets,
    int bucketWidth,
    Distances distances,
    Optional<Distances> inception,
    Interval clipScore,
    Interval realClipScore,
    SortedMap<String, String> origin,
    double seconds) {
  static final String FILE_NAME = "evaluation.json";

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /** Returns evaluation.json; {@code configuration} is the effective one as JSON. */
  byte[] toJson(Distances.Options options, String configuration) throws IOException {
    ObjectNode json = JSON.createObjectNode();
    json.put("checkpoint", checkpoint).put("pairs", pairs).put("features", features);
    json.set("validation_loss", node(loss));
    ArrayNode parts = json.putArray("validation_loss_by_timestep");
    for (int bucket = 0; bucket < buckets.size(); bucket++) {
      ObjectNode part = node(buckets.get(bucket));
      parts.add(part);
      part.put("from", bucket * bucketWidth).put("to", lastStep(bucket));
    }
    add(distances, options, json);
    inception.ifPresent(found -> add(found, options, json.putObject("inception")));
    json.set("clip_score", node(clipScore));
    json.set("clip_score_of_real_pictures", node(realClipScore));
    json.put("confidence", 0.95).put("seconds", Math.round(seconds * 100) / 100.0);
    json.set("fingerprints", JSON.valueToTree(origin));
    json.set("config", JSON.readTree(configuration));
    return JSON.writeValueAsBytes(json);
  }

  private void add(Distances found, Distances.Options options, ObjectNode json) {
    json.set("frechet_distance", node(found.frechet()));
    json.set("kernel_distance", node(found.kernel()));
    json.putObject("kernel_distance_of_subsets")
        .put("mean", found.kernelSubsets().mean())
        .put("deviation", found.kernelSubsets().deviation())
        .put("subsets", options.subsets())
        .put("size", options.subsetSize(pairs));
    json.set("precision", node(found.precision()));
    json.set("recall", node(found.recall()));
  }

  /** Returns a figure with its interval as JSON. */
  static ObjectNode node(Interval interval) {
    return JSON.createObjectNode()
        .put("value", interval.value())
        .put("low", interval.low())
        .put("high", interval.high());
  }

  /** Returns a table of all figures. */
  String table() {
    List<Map.Entry<String, Interval>> rows = new ArrayList<>();
    rows.add(Map.entry("validation loss", loss));
    for (int bucket = 0; bucket < buckets.size(); bucket++) {
      String steps = "  steps %d to %d".formatted(bucket * bucketWidth, lastStep(bucket));
      rows.add(Map.entry(steps, buckets.get(bucket)));
    }
    rows.add(Map.entry("Fr\u00e9chet distance", distances.frechet()));
    rows.add(Map.entry("kernel distance", distances.kernel()));
    rows.add(Map.entry("precision", distances.precision()));
    rows.add(Map.entry("recall", distances.recall()));
    inception.ifPresent(
        found -> {
          rows.add(Map.entry("Fr\u00e9chet, Inception", found.frechet()));
          rows.add(Map.entry("kernel, Inception", found.kernel()));
        });
    rows.add(Map.entry("CLIP score", clipScore));
    rows.add(Map.entry("  of the real pictures", realClipScore));
    StringBuilder table = new StringBuilder();
    for (Map.Entry<String, Interval> row : rows) {
      Interval figure = row.getValue();
      table.append(
          String.format(
              Locale.ROOT,
              "%-24s %10.5g   95 %%: %.5g to %.5g%n",
              row.getKey(),
              figure.value(),
              figure.low(),
              figure.high()));
    }
    return table.toString();
  }

  private int lastStep(int bucket) {
    return (bucket + 1) * bucketWidth - 1;
  }
}
