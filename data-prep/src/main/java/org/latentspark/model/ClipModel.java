package org.latentspark.model;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.latentspark.tensor.Initializer;
import org.latentspark.tensor.Parameter;
import org.latentspark.tensor.ParameterScope;
import org.latentspark.tensor.ParameterTable;
import org.latentspark.tensor.SafetensorsType;

/**
 * Both towers of CLIP and the learned temperature in one parameter table, for training the
 * contrastive objective from scratch (Radford et al., "Learning transferable visual models from
 * natural language supervision", 2021).
 */
public final class ClipModel implements TorchModel {
  /** How published files name the parameters: old ones hold the constant position ids. */
  public static final WeightNames NAMES =
      WeightNames.EXACT.allowing(name -> name.endsWith(".embeddings.position_ids"));

  /** The logarithm of 1 / 0.07, as published. */
  static final double FIRST_LOGIT_SCALE = 2.6592;

  private final ClipConfig config;
  private final ParameterTable parameters;
  private final Parameter logitScale;
  private final ClipTextModel text;
  private final ClipVisionModel vision;

  /** Declares the model; bind or allocate its parameters before use. */
  public ClipModel(ClipConfig config) {
    this.config = config;
    ParameterScope root = ParameterScope.root();
    this.logitScale = root.declare("logit_scale", Initializer.constant(FIRST_LOGIT_SCALE));
    this.text = new ClipTextModel(root, config.text());
    this.vision = new ClipVisionModel(root, config.vision());
    this.parameters = root.table();
  }

  /** Loads both published towers into memory of their own on the CPU, for inference. */
  public static ClipModel load(ModelDirectory directory) throws IOException {
    return directory.load(new ClipModel(directory.config(ClipConfig::parse)), NAMES);
  }

  /**
   * Saves the towers as a pipeline holds them: {@code text_encoder/} in the layout of
   * CLIPTextModelWithProjection, {@code image_encoder/} in that of CLIPVisionModelWithProjection.
   */
  public void saveEncoders(Path pipeline, SafetensorsType type, Configuration configuration)
      throws IOException {
    ClipTextModel textEncoder = textEncoder();
    new ModelDirectory(new Path(pipeline, "text_encoder"), configuration)
        .save(
            textEncoder,
            textEncoder.parameters().values(),
            ModelDirectory.Layout.TRANSFORMERS,
            type);
    ClipVisionModel imageEncoder = imageEncoder();
    new ModelDirectory(new Path(pipeline, "image_encoder"), configuration)
        .save(
            imageEncoder,
            imageEncoder.parameters().values(),
            ModelDirectory.Layout.TRANSFORMERS,
            type);
  }

  /**
   * Returns how published files name the parameters of one tower: transformers 5 leaves the tower's
   * own name away, old files hold the constant position ids, and a file may hold the other tower,
   * the projections and the temperature too.
   *
   * @param tower {@code text_model} or {@code vision_model}
   * @param parts pattern of the names inside the tower
   */
  static WeightNames towerNames(String tower, String parts) {
    return new WeightNames(
        name -> name.matches(parts) ? tower + "." + name : name,
        name ->
            name.equals("logit_scale")
                || name.equals("text_projection.weight")
                || name.equals("visual_projection.weight")
                || name.matches("(text|vision)_model\\.embeddings\\.position_ids")
                || (name.matches("(text|vision)_model\\..*") && !name.startsWith(tower + ".")));
  }

  /** Returns the shape of the model. */
  public ClipConfig config() {
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

  /** Returns the text tower, whose parameters lie in this model's table. */
  public ClipTextModel text() {
    return text;
  }

  /** Returns the vision tower, whose parameters lie in this model's table. */
  public ClipVisionModel vision() {
    return vision;
  }

  /** Returns the logarithm of the factor on cosine similarities, a scalar tensor. */
  public Tensor logitScale() {
    return logitScale.tensor();
  }

  /**
   * Returns the scaled cosine similarities [B, B] of images (rows) and texts (columns).
   *
   * @param pixels normalised as {@link ClipVisionModel} takes them, [B, 3, H, W]
   * @param tokenIds int64 [B, T]
   */
  public Tensor similarity(Tensor pixels, Tensor tokenIds) {
    return logitScale.tensor().exp().mul(cosines(vision.embed(pixels), text.embed(tokenIds)));
  }

  /**
   * Returns the cosine similarities [I, T] of projected images [I, P] and texts [T, P]: CLIP scores
   * where they are not negative, by the factor that a benchmark gives them (Hessel et al., 2021).
   */
  public static Tensor cosines(Tensor images, Tensor texts) {
    return unit(images).matmul(unit(texts).t()).to(ScalarType.Float);
  }

  private static Tensor unit(Tensor embeddings) {
    Tensor values = embeddings.to(ScalarType.Float);
    return values.div(values.norm(new ScalarOptional(new Scalar(2)), new long[] {1}, true));
  }

  /**
   * Returns a copy of the text tower with a table of its own, as {@code text_encoder/} holds it.
   */
  public ClipTextModel textEncoder() {
    ClipTextModel copy = new ClipTextModel(config.text());
    copyTo(copy.parameters());
    return copy;
  }

  /**
   * Returns a copy of the vision tower with a table of its own, as {@code image_encoder/} holds it.
   */
  public ClipVisionModel imageEncoder() {
    ClipVisionModel copy = new ClipVisionModel(config.vision());
    copyTo(copy.parameters());
    return copy;
  }

  private void copyTo(ParameterTable part) {
    part.allocate();
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (Parameter parameter : part.parameters()) {
        parameter.tensor().copy_(parameters.find(parameter.name()).tensor());
      }
    }
  }
}
