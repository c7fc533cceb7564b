package org.latentspark.diffusion;

import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.latentspark.model.ConfigJson;

/** Reads the {@code scheduler_config.json} of the schedulers of diffusers. */
final class SchedulerFile {
  static final String DDIM = "DDIMScheduler";
  private static final String DDPM = "DDPMScheduler";
  private static final String PNDM = "PNDMScheduler";
  private static final String DPM_SOLVER = "DPMSolverMultistepScheduler";

  private SchedulerFile() {}

  static SchedulerConfig read(String json) {
    ConfigJson file = ConfigJson.parse(json);
    file.allow("_class_name", DDIM, DDPM, PNDM, DPM_SOLVER);
    String scheduler = file.text("_class_name", DDIM);
    // Stable Diffusion 1.x is published with PNDM's file, whose defaults differ; neither PNDM nor
    // DPM-Solver clips.
    boolean clips = scheduler.equals(DDIM) || scheduler.equals(DDPM);
    passSamplersOwnKeys(file, scheduler);
    boolean clipped = file.flag("clip_sample", clips);
    double range = file.number("clip_sample_range", 1);
    TimestepSpacing spacing =
        scheduler.equals(DPM_SOLVER) ? TimestepSpacing.LINSPACE : TimestepSpacing.LEADING;
    SchedulerConfig config =
        new SchedulerConfig(
            betas(file),
            constant(file, "prediction_type", PredictionType.EPSILON, PredictionType::published),
            clipped ? range : 0,
            file.flag("set_alpha_to_one", !scheduler.equals(PNDM)),
            offset(file),
            constant(file, "timestep_spacing", spacing, TimestepSpacing::published));
    file.finish();
    return config;
  }

  private static Betas betas(ConfigJson file) {
    List<Double> trained = file.numbers("trained_betas", List.of());
    return new Betas(
        file.positive("num_train_timesteps", 1000),
        constant(file, "beta_schedule", BetaSchedule.LINEAR, BetaSchedule::published),
        file.number("beta_start", 0.0001),
        file.number("beta_end", 0.02),
        trained,
        file.flag("rescale_betas_zero_snr", false));
  }

  private static int offset(ConfigJson file) {
    double offset = file.number("steps_offset", 0);
    if (offset != Math.rint(offset) || Math.abs(offset) > Integer.MAX_VALUE) {
      throw file.refused("steps_offset", "a whole number of at least 0");
    }
    return (int) offset;
  }

  /** Passes over what only tells how that scheduler samples, and refuses other processes. */
  private static void passSamplersOwnKeys(ConfigJson file, String scheduler) {
    file.allow("thresholding", false);
    file.ignore("dynamic_thresholding_ratio", "sample_max_value");
    // With a learned variance the network has twice the channels.
    file.allow("variance_type", "fixed_small", "fixed_small_log", "fixed_large", "fixed_large_log");
    if (scheduler.equals(PNDM)) {
      file.ignore("skip_prk_steps");
    }
    if (scheduler.equals(DPM_SOLVER)) {
      file.ignore("algorithm_type", "solver_order", "solver_type", "lower_order_final");
      file.ignore("euler_at_final", "final_sigmas_type");
      file.ignore("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas");
      file.ignore("use_lu_lambdas", "flow_shift", "time_shift_type");
      file.allow("lambda_min_clipped", Double.NEGATIVE_INFINITY);
      file.allow("use_flow_sigmas", false);
      file.allow("use_dynamic_shifting", false);
    }
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
}
