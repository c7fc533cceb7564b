package org.latentspark.model;

import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * The shape of a CLIP vision transformer, as published in {@code image_encoder/config.json}.
 *
 * @param tower shape of the transformer
 * @param channels of an image
 * @param imageSize pixels of an image's side
 * @param patchSize pixels of a patch's side; what is left of an image beside whole patches is not
 *     seen
 */
public record ClipVisionConfig(ClipTower tower, int channels, int imageSize, int patchSize) {
  /** Checks that an image holds a patch. */
  public ClipVisionConfig {
    if (patchSize > imageSize) {
      throw new IllegalArgumentException(
          "config.json: patch_size " + patchSize + " must be at most image_size " + imageSize);
    }
  }

  /** Returns the configuration in {@code json}; refuses values that this model cannot compute. */
  public static ClipVisionConfig parse(String json) {
    return read(json, ClipConfigJson.head(json));
  }

  static ClipVisionConfig read(String json, ClipHead head) {
    ClipConfigJson config = ClipConfigJson.parse(json, "vision");
    config.ignore("eos_token_id");
    ClipVisionConfig vision =
        new ClipVisionConfig(
            config.tower(768, 3072, 12, head),
            config.positive("num_channels", 3),
            config.positive("image_size", 224),
            config.positive("patch_size", 32));
    config.finish();
    return vision;
  }

  /** Returns the number of patches of an image. */
  public int patches() {
    int side = imageSize / patchSize;
    return side * side;
  }

  /** Returns the published form. */
  public String json() {
    return ClipConfigJson.print(object());
  }

  ObjectNode object() {
    ObjectNode config = ClipConfigJson.object();
    config
        .putArray("architectures")
        .add(
            tower.head() == ClipHead.PROJECTION
                ? "CLIPVisionModelWithProjection"
                : "CLIPVisionModel");
    config.put("model_type", "clip_vision_model");
    tower.put(config);
    config.put("num_channels", channels);
    config.put("image_size", imageSize);
    config.put("patch_size", patchSize);
    return config;
  }
}
