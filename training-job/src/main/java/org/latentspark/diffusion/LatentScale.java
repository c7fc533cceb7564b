package org.latentspark.diffusion;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.latentspark.tensor.Tensors;

/**
 * How the autoencoder's latents become those that diffusion works on: (latent - mean) *
 * scalingFactor / std, as diffusers' pipelines do with {@code latents_mean} and {@code
 * latents_std}. A checkpoint holds it as {@code latents.json}.
 *
 * @param mean of each channel
 * @param std of each channel
 * @param scalingFactor the autoencoder's where mean and std are 0 and 1, else usually 1
 */
public record LatentScale(List<Double> mean, List<Double> std, double scalingFactor) {
  /** The name of the file in a checkpoint. */
  public static final String FILE_NAME = "latents.json";

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /** Checks the numbers. */
  public LatentScale {
    mean = List.copyOf(mean);
    std = List.copyOf(std);
    if (mean.isEmpty() || mean.size() != std.size()) {
      throw new IllegalArgumentException(
          "latent mean " + mean + " and std " + std + " must have one value a channel");
    }
    if (mean.stream().anyMatch(value -> !Double.isFinite(value))
        || std.stream().anyMatch(value -> !(value > 0 && Double.isFinite(value)))
        || !(scalingFactor > 0)) {
      throw new IllegalArgumentException(
          "latent mean %s must be finite, std %s and scaling_factor %s above 0"
              .formatted(mean, std, scalingFactor));
    }
  }

  /** Returns the scale that brings each channel to mean 0 and deviation 1. */
  public static LatentScale normalizing(double[] mean, double[] std) {
    return new LatentScale(
        Arrays.stream(mean).boxed().toList(), Arrays.stream(std).boxed().toList(), 1);
  }

  /** Returns Stable Diffusion's scale: one factor for all channels. */
  public static LatentScale factor(int channels, double scalingFactor) {
    return new LatentScale(
        Collections.nCopies(channels, 0.0), Collections.nCopies(channels, 1.0), scalingFactor);
  }

  /** Returns the number of channels. */
  public int channels() {
    return mean.size();
  }

  /** Returns latents [B, C, h, w] of the autoencoder as diffusion takes them. */
  public Tensor normalize(Tensor latents) {
    return latents
        .sub(channelwise(mean, latents))
        .div(channelwise(std, latents))
        .mul(new Scalar(scalingFactor));
  }

  /** Returns latents [B, C, h, w] of diffusion as the autoencoder takes them. */
  public Tensor restore(Tensor latents) {
    return latents
        .div(new Scalar(scalingFactor))
        .mul(channelwise(std, latents))
        .add(channelwise(mean, latents));
  }

  /**
   * Reads the text of a {@code latents.json}.
   *
   * @throws IllegalArgumentException when a value is missing or makes no sense
   */
  public static LatentScale fromJson(String json) {
    try {
      JsonNode node = JSON.readTree(json);
      return new LatentScale(
          Arrays.asList(JSON.treeToValue(node.path("mean"), Double[].class)),
          Arrays.asList(JSON.treeToValue(node.path("std"), Double[].class)),
          node.path("scaling_factor").asDouble(1));
    } catch (JsonProcessingException | NullPointerException e) {
      throw new IllegalArgumentException(
          FILE_NAME + " must hold the lists mean and std and the number scaling_factor", e);
    }
  }

  /** Returns the text of {@code latents.json}. */
  public String toJson() {
    ObjectNode node = JSON.createObjectNode();
    node.set("mean", JSON.valueToTree(mean));
    node.set("std", JSON.valueToTree(std));
    node.put("scaling_factor", scalingFactor);
    return node.toPrettyString() + "\n";
  }

  private static Tensor channelwise(List<Double> values, Tensor latents) {
    float[] floats = new float[values.size()];
    for (int channel = 0; channel < floats.length; channel++) {
      floats[channel] = values.get(channel).floatValue();
    }
    return Tensors.of(floats, 1, floats.length, 1, 1).to(latents.device(), ScalarType.Float);
  }
}
