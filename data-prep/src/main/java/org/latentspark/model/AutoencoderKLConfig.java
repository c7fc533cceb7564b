package org.latentspark.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collections;
import java.util.List;

/**
 * The shape of an {@link AutoencoderKL}, as diffusers publishes it in {@code config.json}.
 *
 * @param blockOutChannels channels of each level, finest first; a level more halves height and
 *     width
 * @param layersPerBlock residual blocks a level of the encoder; the decoder has one more
 * @param sampleSize height and width in pixels that the weights were trained at
 * @param scalingFactor what latents are multiplied by before diffusion
 */
public record AutoencoderKLConfig(
    int inChannels,
    int outChannels,
    List<Integer> blockOutChannels,
    int layersPerBlock,
    int latentChannels,
    int normNumGroups,
    int sampleSize,
    double scalingFactor,
    boolean midBlockAddAttention,
    boolean useQuantConv,
    boolean usePostQuantConv) {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final String CLASS = "AutoencoderKL";
  private static final String DOWN = "DownEncoderBlock2D";
  private static final String UP = "UpDecoderBlock2D";

  /** Copies the list, and checks that the groups divide its channels. */
  public AutoencoderKLConfig {
    blockOutChannels = List.copyOf(blockOutChannels);
    for (int channels : blockOutChannels) {
      if (channels % normNumGroups != 0) {
        throw new IllegalArgumentException(
            "config.json: norm_num_groups %d must divide block_out_channels %s"
                .formatted(normNumGroups, blockOutChannels));
      }
    }
  }

  /**
   * Reads the text of a {@code config.json}; absent keys take diffusers' defaults.
   *
   * @throws IllegalArgumentException naming a key whose value this model does not do
   */
  public static AutoencoderKLConfig fromJson(String text) {
    ConfigJson json = ConfigJson.parse(text);
    json.allow("_class_name", CLASS);
    json.allow("act_fn", "silu");
    json.allow("shift_factor", 0);
    // Diffusers' switch for fp16 inference; this model's normalization and attention run in fp32.
    json.ignore("force_upcast");
    List<Integer> channels = json.positives("block_out_channels", List.of(64));
    requireBlocks(json, "down_block_types", DOWN, channels.size());
    requireBlocks(json, "up_block_types", UP, channels.size());
    AutoencoderKLConfig config =
        new AutoencoderKLConfig(
            json.positive("in_channels", 3),
            json.positive("out_channels", 3),
            channels,
            json.positive("layers_per_block", 1),
            json.positive("latent_channels", 4),
            json.positive("norm_num_groups", 32),
            json.positive("sample_size", 32),
            json.number("scaling_factor", 0.18215),
            json.flag("mid_block_add_attention", true),
            json.flag("use_quant_conv", true),
            json.flag("use_post_quant_conv", true));
    json.finish();
    return config;
  }

  /** Returns the text of the {@code config.json} that diffusers loads. */
  public String toJson() {
    ObjectNode json = MAPPER.createObjectNode();
    json.put("_class_name", CLASS);
    json.put("act_fn", "silu");
    ArrayNode channels = json.putArray("block_out_channels");
    blockOutChannels.forEach(channels::add);
    ArrayNode down = json.putArray("down_block_types");
    Collections.nCopies(blockOutChannels.size(), DOWN).forEach(down::add);
    json.put("in_channels", inChannels);
    json.put("latent_channels", latentChannels);
    json.put("layers_per_block", layersPerBlock);
    json.put("mid_block_add_attention", midBlockAddAttention);
    json.put("norm_num_groups", normNumGroups);
    json.put("out_channels", outChannels);
    json.put("sample_size", sampleSize);
    json.put("scaling_factor", scalingFactor);
    ArrayNode up = json.putArray("up_block_types");
    Collections.nCopies(blockOutChannels.size(), UP).forEach(up::add);
    json.put("use_post_quant_conv", usePostQuantConv);
    json.put("use_quant_conv", useQuantConv);
    try {
      return MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("Cannot write " + this, e);
    }
  }

  /** Returns this configuration with another {@code scaling_factor}. */
  public AutoencoderKLConfig withScalingFactor(double factor) {
    return new AutoencoderKLConfig(
        inChannels,
        outChannels,
        blockOutChannels,
        layersPerBlock,
        latentChannels,
        normNumGroups,
        sampleSize,
        factor,
        midBlockAddAttention,
        useQuantConv,
        usePostQuantConv);
  }

  /** Returns how many pixels of height or width one latent stands for: 8 in Stable Diffusion. */
  public int downscale() {
    return 1 << (blockOutChannels.size() - 1);
  }

  private static void requireBlocks(ConfigJson json, String key, String type, int levels) {
    List<String> allowed = Collections.nCopies(levels, type);
    if (!json.texts(key, List.of(type)).equals(allowed)) {
      throw json.refused(key, levels + " times " + type + ", one for each of block_out_channels");
    }
  }
}
