package org.latentspark.model;

import java.io.IOException;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.latentspark.tensor.Initializer;
import org.latentspark.tensor.Parameter;
import org.latentspark.tensor.ParameterScope;
import org.latentspark.tensor.ParameterTable;
import org.latentspark.tensor.Tensors;

/** CLIP's causal text transformer (Radford et al., 2021), the text encoder of Stable Diffusion. */
public final class ClipTextModel implements TorchModel {
  /** How published files name the parameters; see {@link ClipModel#towerNames}. */
  public static final WeightNames NAMES =
      ClipModel.towerNames("text_model", "(embeddings|encoder|final_layer_norm)\\..*");

  /** Id that old configurations record for the end token, whichever it is. */
  private static final long LEGACY_END_TOKEN = 2;

  private final ClipTextConfig config;
  private final ParameterTable parameters;
  private final Parameter tokenEmbedding;
  private final Parameter positionEmbedding;
  private final ClipEncoder encoder;
  private final LayerNorm finalNorm;
  private final ClipProjection projection;

  /** Declares a text model of its own; bind or allocate its parameters before use. */
  public ClipTextModel(ClipTextConfig config) {
    this(ParameterScope.root(), config);
  }

  ClipTextModel(ParameterScope scope, ClipTextConfig config) {
    this.config = config;
    this.parameters = scope.table();
    ParameterScope text = scope.child("text_model");
    ParameterScope embeddings = text.child("embeddings");
    long width = config.hiddenSize();
    this.tokenEmbedding =
        embeddings
            .child("token_embedding")
            .declare("weight", Initializer.normal(0.02), config.vocabularySize(), width);
    this.positionEmbedding =
        embeddings
            .child("position_embedding")
            .declare("weight", Initializer.normal(0.02), config.maxTokens(), width);
    this.encoder = new ClipEncoder(text.child("encoder"), config.tower());
    this.finalNorm = new LayerNorm(text.child("final_layer_norm"), width, config.tower().epsilon());
    this.projection = new ClipProjection(scope, "text_projection", config.tower());
  }

  /** Loads a published text encoder into memory of its own on the CPU, for inference. */
  public static ClipTextModel load(ModelDirectory directory) throws IOException {
    return directory.load(new ClipTextModel(directory.config(ClipTextConfig::parse)), NAMES);
  }

  /** Returns the shape of the model. */
  public ClipTextConfig config() {
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
   * Returns the last hidden states [B, T, width] after the final layer norm, which condition Stable
   * Diffusion's U-Net, for token ids [B, T] (int64).
   */
  public Tensor hiddenStates(Tensor tokenIds) {
    long tokens = tokenIds.dim() == 2 ? tokenIds.size(1) : 0;
    if (tokens < 1 || tokens > config.maxTokens()) {
      throw new IllegalArgumentException(
          "Token ids must have shape [batch, 1 to "
              + config.maxTokens()
              + "], not "
              + Tensors.shape(tokenIds));
    }
    Tensor embedded =
        torch
            .embedding(tokenEmbedding.tensor(), tokenIds)
            .add(positionEmbedding.tensor().narrow(0, 0, tokens));
    return finalNorm.forward(encoder.forward(embedded, Attention.Mask.CAUSAL));
  }

  /** Returns the hidden states [B, T, width] at each sequence's end token: [B, width]. */
  public Tensor pooled(Tensor hiddenStates, Tensor tokenIds) {
    Tensor score =
        config.endToken() == LEGACY_END_TOKEN
            ? tokenIds
            : tokenIds.eq(new Scalar(config.endToken())).to(ScalarType.Int);
    Tensor position = score.argmax(new LongOptional(1), true).unsqueeze(2);
    long width = hiddenStates.size(2);
    return hiddenStates.gather(1, position.expand(position.size(0), 1, width)).squeeze(1);
  }

  /** Returns the projected text embeddings [B, projection size], not normalized. */
  public Tensor embed(Tensor tokenIds) {
    return project(pooled(hiddenStates(tokenIds), tokenIds));
  }

  /** Projects pooled states [B, width] into the space shared with images. */
  public Tensor project(Tensor pooled) {
    return projection.forward(pooled);
  }
}
