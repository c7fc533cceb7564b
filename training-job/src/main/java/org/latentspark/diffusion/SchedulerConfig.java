package org.latentspark.diffusion;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.function.Function;
import org.latentspark.model.ConfigJson;

/**
 * A noise schedule and how it is sampled, as diffusers' {@code scheduler_config.json} holds it.
 *
 * @param trainTimesteps number T of forward steps
 * @param betaSchedule how beta grows
 * @param betaStart first beta of the linear schedules
 * @param betaEnd last beta of the linear schedules
 * @param predictionType what the network predicts
 * @param clipSampleRange bound of the clean sample's estimate at each step; 0 for none
 * @param setAlphaToOne whether the last sampling step ends at alphabar 1 rather than alphabar_0
 * @param stepsOffset shift of the leading spacing
 * @param timestepSpacing which steps are visited
 */
public record SchedulerConfig(
    int trainTimesteps,
    BetaSchedule betaSchedule,
    double betaStart,
    double betaEnd,
    PredictionType predictionType,
    double clipSampleRange,
    boolean setAlphaToOne,
    int stepsOffset,
    TimestepSpacing timestepSpacing) {

  /** The schedule of Stable Diffusion 1.x and 2.x. */
  public static final SchedulerConfig STABLE_DIFFUSION =
      new SchedulerConfig(
          1000,
          BetaSchedule.SCALED_LINEAR,
          0.00085,
          0.012,
          PredictionType.EPSILON,
          0,
          false,
          1,
          TimestepSpacing.LEADING);

  private static final String DDIM = "DDIMScheduler";
  private static final String DDPM = "DDPMScheduler";
  private static final String PNDM = "PNDMScheduler";

  /** Checks the ranges. */
  public SchedulerConfig {
    require(trainTimesteps >= 1, "num_train_timesteps", trainTimesteps, "at least 1");
    require(betaStart > 0, "beta_start", betaStart, "above 0");
    require(betaEnd >= betaStart && betaEnd < 1, "beta_end", betaEnd, "from beta_start to below 1");
    require(clipSampleRange >= 0, "clip_sample_range", clipSampleRange, "at least 0");
    require(stepsOffset >= 0, "steps_offset", stepsOffset, "at least 0");
  }

  /**
   * Reads the text of a {@code scheduler_config.json} of diffusers' DDIM, DDPM or PNDM scheduler;
   * keys that are missing take that scheduler's defaults.
   *
   * @throws IllegalArgumentException naming a key or value that is not supported
   */
  public static SchedulerConfig fromJson(String json) {
    ConfigJson file = ConfigJson.parse(json);
    file.allow("_class_name", DDIM, DDPM, PNDM);
    // Stable Diffusion 1.x is published with PNDM's file, whose defaults differ.
    boolean pndm = file.text("_class_name", DDIM).equals(PNDM);
    file.allow("trained_betas", new Object[0]);
    file.allow("rescale_betas_zero_snr", false);
    file.allow("thresholding", false);
    file.ignore("dynamic_thresholding_ratio", "sample_max_value", "variance_type");
    file.ignore("skip_prk_steps");
    boolean clipped = file.flag("clip_sample", !pndm);
    double range = file.number("clip_sample_range", 1);
    SchedulerConfig config =
        new SchedulerConfig(
            file.positive("num_train_timesteps", 1000),
            constant(file, "beta_schedule", BetaSchedule.LINEAR, BetaSchedule::published),
            file.number("beta_start", 0.0001),
            file.number("beta_end", 0.02),
            constant(file, "prediction_type", PredictionType.EPSILON, PredictionType::published),
            clipped ? range : 0,
            file.flag("set_alpha_to_one", !pndm),
            (int) file.number("steps_offset", 0),
            constant(
                file, "timestep_spacing", TimestepSpacing.LEADING, TimestepSpacing::published));
    file.finish();
    return config;
  }

  /** Returns the text of the {@code scheduler_config.json} of a DDIMScheduler. */
  public String toJson() {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("_class_name", DDIM);
    node.put("_diffusers_version", "0.32.0");
    node.put("beta_end", betaEnd);
    node.put("beta_schedule", betaSchedule.published());
    node.put("beta_start", betaStart);
    node.put("clip_sample", clipSampleRange > 0);
    node.put("clip_sample_range", clipSampleRange > 0 ? clipSampleRange : 1);
    node.put("dynamic_thresholding_ratio", 0.995);
    node.put("num_train_timesteps", trainTimesteps);
    node.put("prediction_type", predictionType.published());
    node.put("rescale_betas_zero_snr", false);
    node.put("sample_max_value", 1.0);
    node.put("set_alpha_to_one", setAlphaToOne);
    node.put("steps_offset", stepsOffset);
    node.put("thresholding", false);
    node.put("timestep_spacing", timestepSpacing.published());
    node.putNull("trained_betas");
    return node.toPrettyString() + "\n";
  }

  /** Returns this configuration with another prediction type. */
  public SchedulerConfig predicting(PredictionType type) {
    return new SchedulerConfig(
        trainTimesteps,
        betaSchedule,
        betaStart,
        betaEnd,
        type,
        clipSampleRange,
        setAlphaToOne,
        stepsOffset,
        timestepSpacing);
  }

  private static <E extends Enum<E>> E constant(
      ConfigJson file, String key, E missing, Function<E, String> published) {
    E[] constants = missing.getDeclaringClass().getEnumConstants();
    file.allow(key, Arrays.stream(constants).map(published).toArray());
    String text = file.text(key, published.apply(missing));
    return Arrays.stream(constants)
        .filter(constant -> published.apply(constant).equals(text))
        .findFirst()
        .orElseThrow();
  }

  private static void require(boolean holds, String key, Object value, String allowed) {
    if (!holds) {
      throw new IllegalArgumentException(key + " = " + value + ": must be " + allowed);
    }
  }
}
