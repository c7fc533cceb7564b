package org.latentspark.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Captions with the ids that transformers gives them; {@code make_tokenizer_fixtures.py} made them.
 */
final class ClipCaptions {
  static final Path FOLDER = Path.of("src/test/resources/clip");

  private final JsonNode root;

  private ClipCaptions(JsonNode root) {
    this.root = root;
  }

  static ClipCaptions read() throws IOException {
    return read(FOLDER.resolve("captions.json"));
  }

  static ClipCaptions read(Path file) throws IOException {
    return new ClipCaptions(new ObjectMapper().readTree(file.toFile()));
  }

  List<String> hard() {
    return texts("captions");
  }

  List<String> training() {
    return texts("training");
  }

  int[][] ids(String key) {
    List<int[]> ids = new ArrayList<>();
    root.get(key).forEach(caption -> ids.add(ints(caption)));
    return ids.toArray(int[][]::new);
  }

  /** Returns the ids of the captions, by index, that have others than under {@code ids}. */
  Map<Integer, int[]> changed(String key) {
    Map<Integer, int[]> changed = new TreeMap<>();
    root.get(key)
        .properties()
        .forEach(row -> changed.put(Integer.valueOf(row.getKey()), ints(row.getValue())));
    return changed;
  }

  private static int[] ints(JsonNode row) {
    int[] ints = new int[row.size()];
    for (int place = 0; place < ints.length; place++) {
      ints[place] = row.get(place).asInt();
    }
    return ints;
  }

  private List<String> texts(String key) {
    List<String> texts = new ArrayList<>();
    root.get(key).forEach(text -> texts.add(text.asText()));
    return texts;
  }
}
