package org.latentspark.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Captions with the ids that transformers gives them; {@code make_clip_fixtures.py} made them. */
final class ClipCaptions {
  static final Path FOLDER = Path.of("src/test/resources/clip");

  private final JsonNode root;

  private ClipCaptions(JsonNode root) {
    this.root = root;
  }

  static ClipCaptions read() throws IOException {
    return new ClipCaptions(new ObjectMapper().readTree(FOLDER.resolve("captions.json").toFile()));
  }

  List<String> hard() {
    return texts("captions");
  }

  List<String> training() {
    return texts("training");
  }

  int[][] ids(String key) {
    List<int[]> ids = new ArrayList<>();
    for (JsonNode caption : root.get(key)) {
      int[] row = new int[caption.size()];
      for (int place = 0; place < row.length; place++) {
        row[place] = caption.get(place).asInt();
      }
      ids.add(row);
    }
    return ids.toArray(int[][]::new);
  }

  private List<String> texts(String key) {
    List<String> texts = new ArrayList<>();
    root.get(key).forEach(text -> texts.add(text.asText()));
    return texts;
  }
}
