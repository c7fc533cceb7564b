package org.latentspark.graph;

import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.latentspark.model.AutoencoderKL;
import org.latentspark.model.AutoencoderKLConfig;
import org.latentspark.model.ClipConfig;
import org.latentspark.model.ClipModel;
import org.latentspark.model.TorchModel;
import org.latentspark.unet.UNet2DConditionConfig;
import org.latentspark.unet.UNet2DConditionModel;

/** The models that a {@link TorchVertex} can hold, with their inputs in the graph. */
public enum Architecture {
  /**
   * UNet2DConditionModel: latents [B, C, h, w], timesteps [B], text [B, T, D] and, where the config
   * asks for it, pooled text [B, P] to the predicted noise [B, C, h, w].
   */
  UNET("unet") {
    @Override
    public TorchModel build(String configJson) {
      return new UNet2DConditionModel(UNet2DConditionConfig.fromJson(configJson));
    }

    @Override
    List<String> inputs(String configJson) {
      boolean pooled =
          UNet2DConditionConfig.fromJson(configJson).projectionClassEmbeddingsInputDim() > 0;
      return pooled
          ? List.of("sample", "timesteps", "encoderHiddenStates", "classLabels")
          : List.of("sample", "timesteps", "encoderHiddenStates");
    }

    @Override
    Tensor forward(TorchModel model, Tensor[] inputs) {
      return ((UNet2DConditionModel) model)
          .forward(inputs[0], inputs[1].flatten(), inputs[2], inputs.length > 3 ? inputs[3] : null);
    }
  },
  /** AutoencoderKL: pixels [B, 3, H, W] to their reconstruction from the posterior's mean. */
  VAE("vae") {
    @Override
    public TorchModel build(String configJson) {
      return new AutoencoderKL(AutoencoderKLConfig.fromJson(configJson));
    }

    @Override
    List<String> inputs(String configJson) {
      return List.of("pixels");
    }

    @Override
    Tensor forward(TorchModel model, Tensor[] inputs) {
      AutoencoderKL vae = (AutoencoderKL) model;
      return vae.decode(vae.encode(inputs[0]).chunk(2, 1).get(0));
    }
  },
  /**
   * CLIP: pixels [B, 3, H, W] and token ids [B, T] to similarity logits [B, B], images by texts.
   */
  CLIP("clip") {
    @Override
    public TorchModel build(String configJson) {
      return new ClipModel(ClipConfig.parse(configJson));
    }

    @Override
    List<String> inputs(String configJson) {
      return List.of("pixels", "tokenIds");
    }

    @Override
    Tensor forward(TorchModel model, Tensor[] inputs) {
      return ((ClipModel) model).similarity(inputs[0], inputs[1].to(ScalarType.Long));
    }
  };

  private final String directory;

  Architecture(String directory) {
    this.directory = directory;
  }

  /** Returns the name of the model's folder in checkpoints and pipelines, such as {@code unet}. */
  public String directory() {
    return directory;
  }

  /** Builds the model of a published config.json; its parameters have no memory yet. */
  public abstract TorchModel build(String configJson);

  /** Returns the names of the graph's inputs. */
  abstract List<String> inputs(String configJson);

  /** Runs the model on inputs in the order of {@link #inputs}. */
  abstract Tensor forward(TorchModel model, Tensor[] inputs);
}
