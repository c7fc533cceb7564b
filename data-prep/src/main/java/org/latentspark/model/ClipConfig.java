package org.latentspark.model;

import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * The shape of a CLIP model with both towers, as published in its {@code config.json}.
 *
 * @param text shape of the text tower
 * @param vision shape of the vision tower, with the same projection size
 */
public record ClipConfig(ClipTextConfig text, ClipVisionConfig vision) {
  /** Checks that both towers project into one space. */
  public ClipConfig {
    ClipTower first = text.tower();
    ClipTower second = vision.tower();
    if (first.head() != ClipHead.PROJECTION
        || second.head() != ClipHead.PROJECTION
        || first.projectionSize() != second.projectionSize()) {
      throw new IllegalArgumentException(
          "Both CLIP towers must project to one projection_dim, not to %d (%s) and %d (%s)"
              .formatted(
                  first.projectionSize(), first.head(), second.projectionSize(), second.head()));
    }
  }

  /** Returns the configuration in {@code json}; refuses values that this model cannot compute. */
  public static ClipConfig parse(String json) {
    return new ClipConfig(
        ClipTextConfig.read(json, ClipHead.PROJECTION),
        ClipVisionConfig.read(json, ClipHead.PROJECTION));
  }

  /** Returns the published form. */
  public String json() {
    ObjectNode config = ClipConfigJson.object();
    config.putArray("architectures").add("CLIPModel");
    config.put("model_type", "clip");
    config.put("projection_dim", text.tower().projectionSize());
    config.put("logit_scale_init_value", ClipModel.FIRST_LOGIT_SCALE);
    config.set("text_config", text.object());
    config.set("vision_config", vision.object());
    config.put("torch_dtype", "float32");
    return ClipConfigJson.print(config);
  }
}
