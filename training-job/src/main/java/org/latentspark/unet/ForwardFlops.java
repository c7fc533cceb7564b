package org.latentspark.unet;

import java.util.List;
import org.latentspark.tensor.Parameter;

/**
 * Counts the floating point operations of a forward pass: two for each multiply and add of a
 * convolution, a linear layer or an attention; the rest is small beside them.
 */
public final class ForwardFlops {
  private final int height;
  private final int width;
  private final int tokens;
  private final int levels;

  private ForwardFlops(int height, int width, int tokens, int levels) {
    this.height = height;
    this.width = width;
    this.tokens = tokens;
    this.levels = levels;
  }

  /**
   * Returns the operations for one example; a training step takes three times as many, four where
   * activations are recomputed.
   *
   * @param height rows of the latent
   * @param width columns of it
   * @param tokens of the text
   */
  public static double of(UNet2DConditionConfig config, int height, int width, int tokens) {
    ForwardFlops flops = new ForwardFlops(height, width, tokens, config.blockOutChannels().size());
    return new UNet2DConditionModel(config)
        .parameters().parameters().stream().mapToDouble(flops::of).sum();
  }

  private double of(Parameter weight) {
    if (weight.shape().length < 2) {
      return 0;
    }
    double places = places(weight.name());
    double flops = 2 * weight.count() * places;
    // Queries meet keys, and what comes of it values: two products as wide as the queries.
    if (weight.name().endsWith("attn1.to_q.weight")) {
      flops += 4 * places * places * weight.shape()[0];
    } else if (weight.name().endsWith("attn2.to_q.weight")) {
      flops += 4 * places * tokens * weight.shape()[0];
    }
    return flops;
  }

  /** Returns how many places of the latent, or tokens, a weight is applied to. */
  private double places(String name) {
    if (name.contains("time_emb") || name.startsWith("class_embedding")) {
      return 1;
    }
    if (name.contains("attn2.to_k") || name.contains("attn2.to_v")) {
      return tokens;
    }
    List<String> parts = List.of(name.split("\\."));
    return switch (parts.get(0)) {
      case "down_blocks" -> places(number(parts) + (name.contains("downsamplers") ? 1 : 0));
      case "up_blocks" ->
          places(levels - 1 - number(parts) - (name.contains("upsamplers") ? 1 : 0));
      case "mid_block" -> places(levels - 1);
      default -> places(0);
    };
  }

  private static int number(List<String> parts) {
    return Integer.parseInt(parts.get(1));
  }

  private double places(int level) {
    int scale = 1 << level;
    return Math.ceil((double) height / scale) * Math.ceil((double) width / scale);
  }
}
