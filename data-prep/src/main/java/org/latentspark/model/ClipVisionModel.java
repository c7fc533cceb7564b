package org.latentspark.model;

import java.io.IOException;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.latentspark.tensor.Initializer;
import org.latentspark.tensor.Parameter;
import org.latentspark.tensor.ParameterScope;
import org.latentspark.tensor.ParameterTable;
import org.latentspark.tensor.Tensors;

/** CLIP's vision transformer (Radford et al., 2021). */
public final class ClipVisionModel implements TorchModel {
  /** How published files name the parameters; see {@link ClipModel#towerNames}. */
  public static final WeightNames NAMES =
      ClipModel.towerNames("vision_model", "(embeddings|encoder|pre_layrnorm|post_layernorm)\\..*");

  private static final double DEVIATION = 0.02;

  private final ClipVisionConfig config;
  private final ParameterTable parameters;
  private final Parameter classEmbedding;
  private final Parameter patchEmbedding;
  private final Parameter positionEmbedding;
  private final LayerNorm firstNorm;
  private final ClipEncoder encoder;
  private final LayerNorm lastNorm;
  private final ClipProjection projection;

  /** Declares a vision model of its own; bind or allocate its parameters before use. */
  public ClipVisionModel(ClipVisionConfig config) {
    this(ParameterScope.root(), config);
  }

  ClipVisionModel(ParameterScope scope, ClipVisionConfig config) {
    this.config = config;
    this.parameters = scope.table();
    ParameterScope vision = scope.child("vision_model");
    ParameterScope embeddings = vision.child("embeddings");
    long width = config.tower().hiddenSize();
    long patch = config.patchSize();
    this.classEmbedding =
        embeddings.declare("class_embedding", Initializer.normal(Math.pow(width, -0.5)), width);
    this.patchEmbedding =
        embeddings
            .child("patch_embedding")
            .declare(
                "weight", Initializer.normal(DEVIATION), width, config.channels(), patch, patch);
    this.positionEmbedding =
        embeddings
            .child("position_embedding")
            .declare("weight", Initializer.normal(DEVIATION), config.patches() + 1, width);
    // The published name has this spelling.
    this.firstNorm = new LayerNorm(vision.child("pre_layrnorm"), width, config.tower().epsilon());
    this.encoder = new ClipEncoder(vision.child("encoder"), config.tower());
    this.lastNorm = new LayerNorm(vision.child("post_layernorm"), width, config.tower().epsilon());
    this.projection = new ClipProjection(scope, "visual_projection", config.tower());
  }

  /** Loads a published image encoder into memory of its own on the CPU, for inference. */
  public static ClipVisionModel load(ModelDirectory directory) throws IOException {
    return directory.load(new ClipVisionModel(directory.config(ClipVisionConfig::parse)), NAMES);
  }

  /** Returns the shape of the model. */
  public ClipVisionConfig config() {
    return config;
  }

  @Override
  public ParameterTable parameters() {
    return parameters;
  }

  @Override
  public String configJson() {
    return config.json();
  }

  /**
   * Returns the last hidden states [B, 1 + patches, width], class token first, before the last
   * layer norm, for pixels [B, channels, size, size] that {@link ClipPixels} made.
   */
  public Tensor hiddenStates(Tensor pixels) {
    long size = config.imageSize();
    if (pixels.dim() != 4
        || pixels.size(1) != config.channels()
        || pixels.size(2) != size
        || pixels.size(3) != size) {
      throw new IllegalArgumentException(
          "Pixels must have shape [batch, "
              + config.channels()
              + ", "
              + size
              + ", "
              + size
              + "], not "
              + Tensors.shape(pixels));
    }
    long batch = pixels.size(0);
    long width = config.tower().hiddenSize();
    long patch = config.patchSize();
    Tensor patches =
        torch
            .conv2d(
                pixels,
                patchEmbedding.tensor(),
                new TensorOptional(),
                new long[] {patch, patch},
                new long[] {0, 0},
                new long[] {1, 1},
                1)
            .flatten(2, 3)
            .transpose(1, 2);
    Tensor first = classEmbedding.tensor().expand(batch, 1, width).to(patches.scalar_type());
    Tensor embedded =
        torch.cat(new TensorVector(first, patches), 1).add(positionEmbedding.tensor());
    return encoder.forward(firstNorm.forward(embedded), Attention.Mask.NONE);
  }

  /** Returns the class token's state [B, width] after the last layer norm. */
  public Tensor pooled(Tensor hiddenStates) {
    return lastNorm.forward(hiddenStates.select(1, 0));
  }

  /** Returns the projected image embeddings [B, projection size], not normalized. */
  public Tensor embed(Tensor pixels) {
    return projection.forward(pooled(hiddenStates(pixels)));
  }
}
