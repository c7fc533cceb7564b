package org.latentspark.unet;

import static org.latentspark.unet.UNet2DConditionConfig.refused;
import static org.latentspark.unet.UNet2DConditionConfig.requirePositive;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Set;

/**
 * Reads and writes a U-Net's {@code config.json}, refusing every key and value that the model does
 * not do, so that weights never run in an architecture they were not trained in.
 */
final class UNet2DConditionJson {
  private static final ObjectMapper JSON =
      new ObjectMapper()
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .enable(SerializationFeature.INDENT_OUTPUT)
          .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS);

  /** Every key that diffusers writes, with its default there. */
  private static final ObjectNode DEFAULTS =
      parse(
          """
          {
            "_class_name": "UNet2DConditionModel",
            "_diffusers_version": "0.32.0",
            "act_fn": "silu",
            "addition_embed_type": null,
            "addition_embed_type_num_heads": 64,
            "addition_time_embed_dim": null,
            "attention_head_dim": 8,
            "attention_type": "default",
            "block_out_channels": [320, 640, 1280, 1280],
            "center_input_sample": false,
            "class_embed_type": null,
            "class_embeddings_concat": false,
            "conv_in_kernel": 3,
            "conv_out_kernel": 3,
            "cross_attention_dim": 1280,
            "cross_attention_norm": null,
            "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D",
                "CrossAttnDownBlock2D", "DownBlock2D"],
            "downsample_padding": 1,
            "dropout": 0.0,
            "dual_cross_attention": false,
            "encoder_hid_dim": null,
            "encoder_hid_dim_type": null,
            "flip_sin_to_cos": true,
            "freq_shift": 0,
            "in_channels": 4,
            "layers_per_block": 2,
            "mid_block_only_cross_attention": null,
            "mid_block_scale_factor": 1,
            "mid_block_type": "UNetMidBlock2DCrossAttn",
            "norm_eps": 1e-05,
            "norm_num_groups": 32,
            "num_attention_heads": null,
            "num_class_embeds": null,
            "only_cross_attention": false,
            "out_channels": 4,
            "projection_class_embeddings_input_dim": null,
            "resnet_out_scale_factor": 1.0,
            "resnet_skip_time_act": false,
            "resnet_time_scale_shift": "default",
            "reverse_transformer_layers_per_block": null,
            "sample_size": null,
            "time_cond_proj_dim": null,
            "time_embedding_act_fn": null,
            "time_embedding_dim": null,
            "time_embedding_type": "positional",
            "timestep_post_act": null,
            "transformer_layers_per_block": 1,
            "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D",
                "CrossAttnUpBlock2D"],
            "upcast_attention": false,
            "use_linear_projection": false
          }
          """);

  /** The keys that may differ from their default; any other one must keep it. */
  private static final Set<String> SUPPORTED =
      Set.of(
          "attention_head_dim",
          "block_out_channels",
          "class_embed_type",
          "cross_attention_dim",
          "down_block_types",
          "downsample_padding",
          "flip_sin_to_cos",
          "freq_shift",
          "in_channels",
          "layers_per_block",
          "norm_eps",
          "norm_num_groups",
          "out_channels",
          "projection_class_embeddings_input_dim",
          "sample_size",
          "up_block_types",
          "upcast_attention",
          "use_linear_projection");

  private UNet2DConditionJson() {}

  static UNet2DConditionConfig read(String json) {
    ObjectNode given = parse(json);
    ObjectNode merged = DEFAULTS.deepCopy();
    for (Iterator<String> names = given.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      boolean internal = name.startsWith("_") && !name.equals("_class_name");
      if (!internal && !DEFAULTS.has(name)) {
        throw refused(name, given.get(name), "is not a key of UNet2DConditionModel");
      }
      if (!internal && !SUPPORTED.contains(name) && !same(given.get(name), DEFAULTS.get(name))) {
        throw refused(name, given.get(name), "must be " + DEFAULTS.get(name));
      }
      merged.set(name, given.get(name));
    }
    JsonNode classes = merged.get("class_embed_type");
    if (!classes.isNull() && !classes.asText().equals("projection")) {
      throw refused("class_embed_type", classes, "must be null or \"projection\"");
    }
    List<Integer> channels = integers(merged, "block_out_channels");
    return new UNet2DConditionConfig(
        merged.get("sample_size").isNull() ? null : integer(merged, "sample_size"),
        integer(merged, "in_channels"),
        integer(merged, "out_channels"),
        flag(merged, "flip_sin_to_cos"),
        integer(merged, "freq_shift"),
        texts(merged, "down_block_types"),
        texts(merged, "up_block_types"),
        channels,
        integer(merged, "layers_per_block"),
        integer(merged, "downsample_padding"),
        integer(merged, "norm_num_groups"),
        number(merged, "norm_eps"),
        integer(merged, "cross_attention_dim"),
        heads(merged, channels.size()),
        flag(merged, "use_linear_projection"),
        classes.isNull() ? 0 : classWidth(merged),
        flag(merged, "upcast_attention"));
  }

  static String write(UNet2DConditionConfig config) {
    ObjectNode node = DEFAULTS.deepCopy();
    node.put("sample_size", config.sampleSize());
    node.put("in_channels", config.inChannels());
    node.put("out_channels", config.outChannels());
    node.put("flip_sin_to_cos", config.flipSinToCos());
    node.put("freq_shift", config.freqShift());
    node.set("down_block_types", JSON.valueToTree(config.downBlockTypes()));
    node.set("up_block_types", JSON.valueToTree(config.upBlockTypes()));
    node.set("block_out_channels", JSON.valueToTree(config.blockOutChannels()));
    node.put("layers_per_block", config.layersPerBlock());
    node.put("downsample_padding", config.downsamplePadding());
    node.put("norm_num_groups", config.normNumGroups());
    node.put("norm_eps", config.normEps());
    node.put("cross_attention_dim", config.crossAttentionDim());
    if (config.attentionHeads().stream().distinct().count() == 1) {
      node.put("attention_head_dim", config.attentionHeads().get(0));
    } else {
      node.set("attention_head_dim", JSON.valueToTree(config.attentionHeads()));
    }
    node.put("use_linear_projection", config.useLinearProjection());
    if (config.projectionClassEmbeddingsInputDim() > 0) {
      node.put("class_embed_type", "projection");
      node.put("projection_class_embeddings_input_dim", config.projectionClassEmbeddingsInputDim());
    }
    node.put("upcast_attention", config.upcastAttention());
    return node.toPrettyString() + "\n";
  }

  private static List<Integer> heads(ObjectNode node, int levels) {
    JsonNode value = node.get("attention_head_dim");
    return value.isArray()
        ? integers(node, "attention_head_dim")
        : Collections.nCopies(levels, integer(node, "attention_head_dim"));
  }

  private static int classWidth(ObjectNode node) {
    int width = integer(node, "projection_class_embeddings_input_dim");
    requirePositive("projection_class_embeddings_input_dim", width);
    return width;
  }

  private static int integer(ObjectNode node, String key) {
    return integer(key, node.get(key));
  }

  private static int integer(String key, JsonNode value) {
    if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() < 0) {
      throw refused(key, value, "must be a whole number");
    }
    return value.intValue();
  }

  private static double number(ObjectNode node, String key) {
    JsonNode value = node.get(key);
    if (!value.isNumber()) {
      throw refused(key, value, "must be a number");
    }
    return value.doubleValue();
  }

  /** Some published files say null for false, as Python takes it. */
  private static boolean flag(ObjectNode node, String key) {
    JsonNode value = node.get(key);
    if (!value.isBoolean() && !value.isNull()) {
      throw refused(key, value, "must be true or false");
    }
    return value.booleanValue();
  }

  private static List<Integer> integers(ObjectNode node, String key) {
    List<Integer> list = new ArrayList<>();
    requireList(node, key).forEach(item -> list.add(integer(key, item)));
    return list;
  }

  private static List<String> texts(ObjectNode node, String key) {
    List<String> list = new ArrayList<>();
    requireList(node, key).forEach(item -> list.add(item.asText()));
    return list;
  }

  private static JsonNode requireList(ObjectNode node, String key) {
    JsonNode value = node.get(key);
    if (!value.isArray() || value.isEmpty()) {
      throw refused(key, value, "must be a list");
    }
    return value;
  }

  /** Python writes 1 and 1.0 for the same setting. */
  private static boolean same(JsonNode left, JsonNode right) {
    return (left.isNumber() && right.isNumber())
        ? left.doubleValue() == right.doubleValue()
        : left.equals(right);
  }

  private static ObjectNode parse(String json) {
    try {
      JsonNode node = JSON.readTree(json);
      if (node instanceof ObjectNode object) {
        return object;
      }
      throw new IllegalArgumentException("U-Net config.json is not a JSON object");
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("U-Net config.json is not JSON: " + e.getMessage(), e);
    }
  }
}
