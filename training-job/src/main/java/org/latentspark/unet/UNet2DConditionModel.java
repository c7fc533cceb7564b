package org.latentspark.unet;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.latentspark.model.Conv2d;
import org.latentspark.model.GroupNorm;
import org.latentspark.model.TorchModel;
import org.latentspark.tensor.ParameterScope;
import org.latentspark.tensor.ParameterTable;
import org.latentspark.tensor.Recomputation;
import org.latentspark.tensor.Tensors;

/**
 * Predicts the noise in a latent, given the time step and the text (Rombach et al.,
 * "High-resolution image synthesis with latent diffusion models", 2022).
 *
 * <p>Topology, parameter names and their order are those of diffusers' class of the same name, so
 * that Stable Diffusion 1.x and 2.x weights load here and weights trained here load there.
 */
public final class UNet2DConditionModel implements TorchModel {
  private static final int TIME_EXPANSION = 4;

  private final UNet2DConditionConfig config;
  private final ParameterTable parameters;
  private final Timesteps timesteps;
  private final Conv2d convIn;
  private final TimestepEmbedding timeEmbedding;
  private final TimestepEmbedding classEmbedding;
  private final List<DownBlock> downBlocks = new ArrayList<>();
  private final List<UpBlock> upBlocks = new ArrayList<>();
  private final MidBlock midBlock;
  private final GroupNorm convNormOut;
  private final Conv2d convOut;
  private Activations activations = Activations.KEEP;

  /** Declares the parameters; they have no memory until {@link #parameters()} is bound. */
  public UNet2DConditionModel(UNet2DConditionConfig config) {
    this.config = config;
    ParameterScope root = ParameterScope.root();
    List<Integer> channels = config.blockOutChannels();
    int outer = channels.get(0);
    long timeWidth = (long) TIME_EXPANSION * outer;
    this.timesteps = new Timesteps(outer, config.freqShift(), config.flipSinToCos());
    this.convIn = new Conv2d(root.child("conv_in"), config.inChannels(), outer, 3, 1, 1);
    this.timeEmbedding = new TimestepEmbedding(root.child("time_embedding"), outer, timeWidth);
    int classWidth = config.projectionClassEmbeddingsInputDim();
    this.classEmbedding =
        classWidth == 0
            ? null
            : new TimestepEmbedding(root.child("class_embedding"), classWidth, timeWidth);
    for (int level = 0; level < channels.size(); level++) {
      downBlocks.add(new DownBlock(root.child("down_blocks", level), config, level, timeWidth));
    }
    // The published order of parameters has the way up before the middle.
    for (int index = 0; index < channels.size(); index++) {
      upBlocks.add(new UpBlock(root.child("up_blocks", index), config, index, timeWidth));
    }
    this.midBlock = new MidBlock(root.child("mid_block"), config, timeWidth);
    this.convNormOut =
        new GroupNorm(root.child("conv_norm_out"), config.normNumGroups(), outer, config.normEps());
    this.convOut = new Conv2d(root.child("conv_out"), outer, config.outChannels(), 3, 1, 1);
    this.parameters = root.table();
  }

  /**
   * Predicts the noise (or velocity, or sample: as trained) and returns it in fp32, [B,
   * outChannels, h, w].
   *
   * @param sample noised latents [B, inChannels, h, w]
   * @param steps time step of each latent, int64 or float, [B]
   * @param encoderHiddenStates text [B, T, crossAttentionDim]
   * @param classLabels pooled text [B, projectionClassEmbeddingsInputDim]; null exactly when the
   *     configuration has none
   */
  public Tensor forward(
      Tensor sample, Tensor steps, Tensor encoderHiddenStates, Tensor classLabels) {
    check(sample, encoderHiddenStates, classLabels);
    Tensor time = timeEmbedding.forward(timesteps.forward(steps));
    if (classEmbedding != null) {
      time = time.add(classEmbedding.forward(classLabels));
    }
    Tensor hidden = convIn.forward(sample);
    Recomputation again = activations == Activations.RECOMPUTE ? Recomputation.current() : null;
    hidden =
        again == null
            ? blocks(hidden, time, encoderHiddenStates, (inputs, block) -> block.run(inputs))
            : blocks(again.input(hidden), again.input(time), encoderHiddenStates, again::run);
    return convOut.forward(torch.silu(convNormOut.forward(hidden))).to(ScalarType.Float);
  }

  /** How blocks are run: at once, or so that they can be run again. */
  private interface Runner {
    List<Tensor> run(List<Tensor> inputs, Recomputation.Block block);
  }

  private Tensor blocks(Tensor first, Tensor time, Tensor text, Runner runner) {
    List<Tensor> skips = new ArrayList<>(List.of(first));
    for (DownBlock block : downBlocks) {
      Tensor before = skips.get(skips.size() - 1);
      skips.addAll(
          runner.run(
              List.of(before, time), inputs -> block.forward(inputs.get(0), inputs.get(1), text)));
    }
    Tensor inner = skips.get(skips.size() - 1);
    Tensor hidden =
        runner
            .run(
                List.of(inner, time),
                inputs -> List.of(midBlock.forward(inputs.get(0), inputs.get(1), text)))
            .get(0);
    for (UpBlock block : upBlocks) {
      int from = skips.size() - block.skips();
      // The one before the block's own tells it the size of the level above.
      List<Tensor> inputs = new ArrayList<>(List.of(hidden, time));
      inputs.addAll(skips.subList(Math.max(0, from - 1), skips.size()));
      hidden =
          runner
              .run(
                  inputs,
                  given ->
                      List.of(
                          block.forward(
                              given.get(0),
                              given.get(1),
                              text,
                              new ArrayList<>(given.subList(2, given.size())))))
              .get(0);
      skips.subList(from, skips.size()).clear();
    }
    return hidden;
  }

  /** Sets what becomes of the blocks' activations while gradients are taken; they stay, unset. */
  public void activations(Activations choice) {
    activations = choice;
  }

  /** Returns the shape of the model. */
  public UNet2DConditionConfig config() {
    return config;
  }

  @Override
  public ParameterTable parameters() {
    return parameters;
  }

  @Override
  public String configJson() {
    return config.toJson();
  }

  private void check(Tensor sample, Tensor encoderHiddenStates, Tensor classLabels) {
    if (sample.dim() != 4 || sample.size(1) != config.inChannels()) {
      throw new IllegalArgumentException(
          "Latents must have shape [B, %d, h, w], not %s"
              .formatted(config.inChannels(), Tensors.shape(sample)));
    }
    if (encoderHiddenStates.dim() != 3
        || encoderHiddenStates.size(2) != config.crossAttentionDim()) {
      throw new IllegalArgumentException(
          "Text must have shape [B, T, %d], not %s"
              .formatted(config.crossAttentionDim(), Tensors.shape(encoderHiddenStates)));
    }
    if ((classLabels == null) != (classEmbedding == null)) {
      throw new IllegalArgumentException(
          "The pooled text must be %s: class_embed_type is %s"
              .formatted(
                  classEmbedding == null ? "null" : "given",
                  classEmbedding == null ? "null" : "projection"));
    }
  }
}
