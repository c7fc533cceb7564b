package org.latentspark.graph;

import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.latentspark.model.AutoencoderKL;
import org.latentspark.model.AutoencoderKLConfig;
import org.latentspark.model.TorchModel;

/** The models that a {@link TorchVertex} can hold, with their inputs in the graph. */
public enum Architecture {
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
