package org.latentspark.diffusion;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/**
 * A noise schedule, what the network predicts and which steps are visited, as diffusers' {@code
 * scheduler_config.json} holds them. The sampler is the user's choice: any of them goes with any
 * such file.
 *
 * @param betas the noise of the forward steps
 * @param predictionType what the network predicts
 * @param clipSampleRange bound that DDPM and DDIM put on the clean sample's estimate; 0 for none
 * @param setAlphaToOne whether DDIM's last step ends at alphabar 1 rather than alphabar_0
 * @param stepsOffset shift of the leading spacing
 * @param timestepSpacing which steps are visited
 */
public record SchedulerConfig(
    Betas betas,
    PredictionType predictionType,
    double clipSampleRange,
    boolean setAlphaToOne,
    int stepsOffset,
    TimestepSpacing timestepSpacing) {

  /** The schedule of Stable Diffusion 1.x and 2.x. */
  public static final SchedulerConfig STABLE_DIFFUSION =
      new SchedulerConfig(
          Betas.of(BetaSchedule.SCALED_LINEAR, 1000, 0.00085, 0.012),
          PredictionType.EPSILON,
          0,
          false,
          1,
          TimestepSpacing.LEADING);

  /** Checks the ranges. */
  public SchedulerConfig {
    if (!(clipSampleRange >= 0)) {
      throw new IllegalArgumentException(
          "clip_sample_range = " + clipSampleRange + ": must be at least 0");
    }
    if (stepsOffset < 0) {
      throw new IllegalArgumentException("steps_offset = " + stepsOffset + ": must be at least 0");
    }
  }

  /**
   * Reads the text of a {@code scheduler_config.json} of diffusers' DDIM, DDPM, PNDM or multistep
   * DPM-Solver scheduler; keys that are missing take that scheduler's defaults.
   *
   * @throws IllegalArgumentException naming a key or value that is not supported
   */
  public static SchedulerConfig fromJson(String json) {
    return SchedulerFile.read(json);
  }

  /** Returns the text of the {@code scheduler_config.json} of a DDIMScheduler. */
  public String toJson() {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("_class_name", SchedulerFile.DDIM);
    node.put("_diffusers_version", "0.32.0");
    node.put("beta_end", betas.end());
    node.put("beta_schedule", betas.schedule().published());
    node.put("beta_start", betas.start());
    node.put("clip_sample", clipSampleRange > 0);
    node.put("clip_sample_range", clipSampleRange > 0 ? clipSampleRange : 1);
    node.put("dynamic_thresholding_ratio", 0.995);
    node.put("num_train_timesteps", betas.steps());
    node.put("prediction_type", predictionType.published());
    node.put("rescale_betas_zero_snr", betas.zeroTerminalSnr());
    node.put("sample_max_value", 1.0);
    node.put("set_alpha_to_one", setAlphaToOne);
    node.put("steps_offset", stepsOffset);
    node.put("thresholding", false);
    node.put("timestep_spacing", timestepSpacing.published());
    List<Double> trained = betas.trained();
    if (trained.isEmpty()) {
      node.putNull("trained_betas");
    } else {
      trained.forEach(node.withArray("trained_betas")::add);
    }
    return node.toPrettyString() + "\n";
  }

  /** Returns this configuration with other steps to visit. */
  public SchedulerConfig spaced(TimestepSpacing spacing) {
    return new SchedulerConfig(
        betas, predictionType, clipSampleRange, setAlphaToOne, stepsOffset, spacing);
  }
}
