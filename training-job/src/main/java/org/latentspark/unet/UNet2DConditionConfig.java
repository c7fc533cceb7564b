package org.latentspark.unet;

import java.util.Arrays;
import java.util.List;

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
    if (2 * freqShift >= blockOutChannels.get(0)) {
      throw refused("freq_shift", freqShift, "must be below half of the first block_out_channels");
    }
    if (!(normEps > 0)) {
      throw refused("norm_eps", normEps, "must be above 0");
    }
    requirePositive("sample_size", sampleSize == null ? 1 : sampleSize);
    requirePositive("in_channels", inChannels);
    requirePositive("out_channels", outChannels);
    requirePositive("layers_per_block", layersPerBlock);
    requirePositive("cross_attention_dim", crossAttentionDim);
  }

  /**
   * Reads the text of a {@code config.json}; keys that are missing take diffusers' defaults.
   *
   * @throws IllegalArgumentException naming the first key or value that is not supported
   */
  public static UNet2DConditionConfig fromJson(String json) {
    return UNet2DConditionJson.read(json);
  }

  /** Returns the text of the {@code config.json} that diffusers reads. */
  public String toJson() {
    return UNet2DConditionJson.write(this);
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

  static void requirePositive(String key, int value) {
    if (value < 1) {
      throw refused(key, value, "must be at least 1");
    }
  }

  static IllegalArgumentException refused(String key, Object value, String allowed) {
    return new IllegalArgumentException("U-Net config: " + key + " = " + value + ": " + allowed);
  }
}
