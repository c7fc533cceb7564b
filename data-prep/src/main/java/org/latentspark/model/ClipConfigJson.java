package org.latentspark.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;

/**
 * Reads one tower's shape from a published {@code config.json}: of that tower alone, or of both
 * towers, in the present form ({@code text_config}) or the deprecated one ({@code
 * text_config_dict}, which outweighs the present one where a file has both, as in transformers).
 *
 * <p>Published files repeat transformers' defaults for text generation, labels and outputs. Those
 * pass, since no forward pass of an encoder reads them; every other key is taken or refused.
 */
final class ClipConfigJson {
  /** What transformers gives every configuration, and no encoder computes with. */
  private static final String[] REMARKS = {
    "architectures",
    "bad_words_ids",
    "begin_suppress_tokens",
    "bos_token_id",
    "decoder_start_token_id",
    "diversity_penalty",
    "do_sample",
    "dtype",
    "early_stopping",
    "encoder_no_repeat_ngram_size",
    "exponential_decay_length_penalty",
    "finetuning_task",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "id2label",
    "initializer_factor",
    "initializer_range",
    "label2id",
    "length_penalty",
    "logit_scale_init_value",
    "max_length",
    "min_length",
    "no_repeat_ngram_size",
    "num_beam_groups",
    "num_beams",
    "num_return_sequences",
    "output_attentions",
    "output_hidden_states",
    "output_scores",
    "pad_token_id",
    "prefix",
    "problem_type",
    "remove_invalid_values",
    "repetition_penalty",
    "return_dict",
    "return_dict_in_generate",
    "sep_token_id",
    "suppress_tokens",
    "task_specific_params",
    "temperature",
    "tf_legacy_loss",
    "tie_encoder_decoder",
    "tie_word_embeddings",
    "tokenizer_class",
    "top_k",
    "top_p",
    "torch_dtype",
    "torchscript",
    "transformers_version",
    "typical_p",
    "use_bfloat16",
    "use_cache"
  };

  private static final int PROJECTION = 512;
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private final ConfigJson tower;
  private final int projection;

  private ClipConfigJson(ConfigJson tower, int projection) {
    this.tower = tower;
    this.projection = projection;
  }

  /**
   * Finds the tower.
   *
   * @param part {@code text} or {@code vision}
   */
  static ClipConfigJson parse(String text, String part) {
    ConfigJson whole = ConfigJson.parse(text);
    String present = part + "_config";
    String deprecated = present + "_dict";
    int above = whole.positive("projection_dim", PROJECTION);
    if (!whole.has(present) && !whole.has(deprecated)) {
      whole.allow("model_type", "clip_" + part + "_model", "clip");
      return new ClipConfigJson(whole, above);
    }
    whole.allow("model_type", "clip");
    whole.ignore(REMARKS);
    whole.ignore("text_config", "text_config_dict", "vision_config", "vision_config_dict");
    whole.finish();
    ConfigJson tower = whole.child(whole.has(deprecated) ? deprecated : present);
    tower.allow("model_type", "clip_" + part + "_model");
    int own = tower.positive("projection_dim", PROJECTION);
    // The towers' own copies are stale in some files of both, and the weights fit the one above.
    return new ClipConfigJson(tower, whole.has("projection_dim") ? above : own);
  }

  /** Returns whether {@code architectures} names a class with a projection. */
  static ClipHead head(String text) {
    List<String> architectures = ConfigJson.parse(text).texts("architectures", List.of());
    return architectures.contains("CLIPModel")
            || architectures.stream().anyMatch(name -> name.endsWith("WithProjection"))
        ? ClipHead.PROJECTION
        : ClipHead.NONE;
  }

  /** Returns the keys that both towers have, where absent ones take the given defaults. */
  ClipTower tower(int hiddenSize, int intermediateSize, int heads, ClipHead head) {
    for (String dropout : List.of("attention_dropout", "dropout")) {
      tower.allow(dropout, 0);
    }
    for (String decoder : List.of("add_cross_attention", "is_decoder", "is_encoder_decoder")) {
      tower.allow(decoder, false);
    }
    tower.allow("chunk_size_feed_forward", 0);
    tower.allow("pruned_heads", Map.of());
    tower.ignore(REMARKS);
    return new ClipTower(
        tower.positive("hidden_size", hiddenSize),
        tower.positive("intermediate_size", intermediateSize),
        projection,
        tower.positive("num_hidden_layers", 12),
        tower.positive("num_attention_heads", heads),
        activation(),
        epsilon(),
        head);
  }

  /** Returns a key of this tower alone. */
  int positive(String key, int missing) {
    return tower.positive(key, missing);
  }

  /** Passes a key that this tower does not compute with. */
  void ignore(String key) {
    tower.ignore(key);
  }

  /** Refuses the keys that nothing has taken. */
  void finish() {
    tower.finish();
  }

  private ClipActivation activation() {
    List<String> allowed = ClipActivation.publishedNames();
    tower.allow("hidden_act", allowed.toArray());
    return ClipActivation.named(tower.text("hidden_act", "quick_gelu"));
  }

  private double epsilon() {
    double epsilon = tower.number("layer_norm_eps", 1e-5);
    if (!(epsilon > 0)) {
      throw tower.refused("layer_norm_eps", "a positive number");
    }
    return epsilon;
  }

  static ObjectNode object() {
    return MAPPER.createObjectNode();
  }

  static String print(JsonNode config) {
    return config.toPrettyString() + "\n";
  }
}
