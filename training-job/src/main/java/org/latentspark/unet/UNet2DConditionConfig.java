package org.latentspark.unet;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Set;

/**
 * The shape of a conditional U-Net, as diffusers' {@code UNet2DConditionModel} writes it to {@code
 * config.json}.
 *
 * @param sampleSize edge of the latents that it is trained on; null where the file says null
 * @param inChannels channels of the latents that go in
 * @param outChannels channels of the prediction
 * @param flipSinToCos whether the time embedding holds cosines before sines
 * @param freqShift shift of the time embedding's frequencies
 * @param downBlockTypes CrossAttnDownBlock2D or DownBlock2D, outermost first
 * @param upBlockTypes UpBlock2D or CrossAttnUpBlock2D, innermost first
 * @param blockOutChannels channels of each level, outermost first
 * @param layersPerBlock residual blocks a level on the way down; one more on the way up
 * @param downsamplePadding padding of the strided convolutions: 1, or 0 for right and bottom only
 * @param normNumGroups groups of every group normalization
 * @param normEps epsilon of the group normalizations outside the transformers
 * @param crossAttentionDim width of the text embedding
 * @param attentionHeads heads of each level's attentions, outermost first; the file calls them
 *     {@code attention_head_dim} for historical reasons
 * @param useLinearProjection whether the transformers project with linear layers, not convolutions
 * @param projectionClassEmbeddingsInputDim width of the vector added to the time embedding through
 *     {@code class_embedding}; 0 for none
 * @param upcastAttention kept for the file: attention runs in fp32 here either way
 */
public record UNet2DConditionConfig(
    Integer sampleSize,
    int inChannels,
    int outChannels,
    boolean flipSinToCos,
    int freqShift,
    List<String> downBlockTypes,
    List<String> upBlockTypes,
    List<Integer> blockOutChannels,
    int layersPerBlock,
    int downsamplePadding,
    int normNumGroups,
    double normEps,
    int crossAttentionDim,
    List<Integer> attentionHeads,
    boolean useLinearProjection,
    int projectionClassEmbeddingsInputDim,
    boolean upcastAttention) {

  private static final ObjectMapper JSON =
      new ObjectMapper()
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

  /** Checks that the parts fit together. */
  public UNet2DConditionConfig {
    downBlockTypes = List.copyOf(downBlockTypes);
    upBlockTypes = List.copyOf(upBlockTypes);
    blockOutChannels = List.copyOf(blockOutChannels);
    attentionHeads = List.copyOf(attentionHeads);
    int levels = blockOutChannels.size();
    requireTypes("down_block_types", downBlockTypes, levels, "CrossAttnDownBlock2D", "DownBlock2D");
    requireTypes("up_block_types", upBlockTypes, levels, "UpBlock2D", "CrossAttnUpBlock2D");
    require("attention_head_dim", attentionHeads, attentionHeads.size() == levels, levels);
    for (int level = 0; level < levels; level++) {
      int channels = blockOutChannels.get(level);
      int heads = attentionHeads.get(level);
      if (channels < 1 || normNumGroups < 1 || channels % normNumGroups != 0) {
        throw refused("block_out_channels", channels, "must be a multiple of norm_num_groups");
      }
      if (heads < 1 || channels % heads != 0) {
        throw refused("attention_head_dim", heads, "must divide the " + channels + " channels");
      }
    }
    if (blockOutChannels.get(0) % 2 != 0) {
      throw refused("block_out_channels", blockOutChannels, "must start with an even number");
    }
    if (downsamplePadding != 0 && downsamplePadding != 1) {
      throw refused("downsample_padding", downsamplePadding, "must be 0 or 1");
    }
    if (layersPerBlock < 1) {
      throw refused("layers_per_block", layersPerBlock, "must be at least 1");
    }
  }

  /**
   * Reads the text of a {@code config.json}; keys that are missing take diffusers' defaults.
   *
   * @throws IllegalArgumentException naming the first key or value that is not supported
   */
  public static UNet2DConditionConfig fromJson(String json) {
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
        merged.get("norm_eps").asDouble(),
        integer(merged, "cross_attention_dim"),
        heads(merged, channels.size()),
        flag(merged, "use_linear_projection"),
        classes.isNull() ? 0 : integer(merged, "projection_class_embeddings_input_dim"),
        flag(merged, "upcast_attention"));
  }

  /** Returns the text of the {@code config.json} that diffusers reads. */
  public String toJson() {
    ObjectNode node = DEFAULTS.deepCopy();
    node.put("sample_size", sampleSize);
    node.put("in_channels", inChannels);
    node.put("out_channels", outChannels);
    node.put("flip_sin_to_cos", flipSinToCos);
    node.put("freq_shift", freqShift);
    node.set("down_block_types", JSON.valueToTree(downBlockTypes));
    node.set("up_block_types", JSON.valueToTree(upBlockTypes));
    node.set("block_out_channels", JSON.valueToTree(blockOutChannels));
    node.put("layers_per_block", layersPerBlock);
    node.put("downsample_padding", downsamplePadding);
    node.put("norm_num_groups", normNumGroups);
    node.put("norm_eps", normEps);
    node.put("cross_attention_dim", crossAttentionDim);
    if (attentionHeads.stream().distinct().count() == 1) {
      node.put("attention_head_dim", attentionHeads.get(0));
    } else {
      node.set("attention_head_dim", JSON.valueToTree(attentionHeads));
    }
    node.put("use_linear_projection", useLinearProjection);
    if (projectionClassEmbeddingsInputDim > 0) {
      node.put("class_embed_type", "projection");
      node.put("projection_class_embeddings_input_dim", projectionClassEmbeddingsInputDim);
    }
    node.put("upcast_attention", upcastAttention);
    return node.toPrettyString() + "\n";
  }

  private static void requireTypes(String key, List<String> types, int levels, String... allowed) {
    require(key, types, types.size() == levels, levels);
    for (String type : types) {
      if (!Arrays.asList(allowed).contains(type)) {
        throw refused(key, type, "must be " + String.join(" or ", allowed));
      }
    }
  }

  private static void require(String key, Object value, boolean holds, int levels) {
    if (!holds) {
      throw refused(key, value, "must have " + levels + " items, as block_out_channels");
    }
  }

  private static List<Integer> heads(ObjectNode node, int levels) {
    JsonNode value = node.get("attention_head_dim");
    return value.isArray()
        ? integers(node, "attention_head_dim")
        : Collections.nCopies(levels, integer(node, "attention_head_dim"));
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

  private static boolean flag(ObjectNode node, String key) {
    JsonNode value = node.get(key);
    if (!value.isBoolean()) {
      throw refused(key, value, "must be true or false");
    }
    return value.booleanValue();
  }

  private static List<Integer> integers(ObjectNode node, String key) {
    List<Integer> list = new ArrayList<>();
    node.get(key).forEach(item -> list.add(integer(key, item)));
    return requireFilled(key, node.get(key), list);
  }

  private static List<String> texts(ObjectNode node, String key) {
    List<String> list = new ArrayList<>();
    node.get(key).forEach(item -> list.add(item.asText()));
    return requireFilled(key, node.get(key), list);
  }

  private static <T> List<T> requireFilled(String key, JsonNode value, List<T> list) {
    if (!value.isArray() || list.isEmpty()) {
      throw refused(key, value, "must be a list");
    }
    return list;
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

  private static IllegalArgumentException refused(String key, Object value, String allowed) {
    return new IllegalArgumentException("U-Net config: " + key + " = " + value + ": " + allowed);
  }
}
