package org.latentspark.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TestSchedulerConfig {
  @Test
  void keepsEverythingThroughItsFile() {
    SchedulerConfig config =
        new SchedulerConfig(
            500,
            BetaSchedule.SQUAREDCOS_CAP_V2,
            0.001,
            0.01,
            PredictionType.V_PREDICTION,
            1.5,
            true,
            2,
            TimestepSpacing.TRAILING);
    assertThat(SchedulerConfig.fromJson(config.toJson())).isEqualTo(config);
    assertThat(SchedulerConfig.fromJson(SchedulerConfig.STABLE_DIFFUSION.toJson()))
        .isEqualTo(SchedulerConfig.STABLE_DIFFUSION);
  }

  @Test
  void takesTheFileOfStableDiffusion1() {
    assertThat(
            SchedulerConfig.fromJson(
                """
                {"_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0",
                 "beta_end": 0.012, "beta_schedule": "scaled_linear", "beta_start": 0.00085,
                 "num_train_timesteps": 1000, "set_alpha_to_one": false,
                 "skip_prk_steps": true, "steps_offset": 1, "trained_betas": null,
                 "clip_sample": false}
                """))
        .isEqualTo(SchedulerConfig.STABLE_DIFFUSION);
  }

  @Test
  void takesDiffusersDefaultsForMissingKeys() {
    SchedulerConfig config = SchedulerConfig.fromJson("{\"_class_name\": \"DDPMScheduler\"}");
    assertThat(config)
        .isEqualTo(
            new SchedulerConfig(
                1000,
                BetaSchedule.LINEAR,
                0.0001,
                0.02,
                PredictionType.EPSILON,
                1,
                true,
                0,
                TimestepSpacing.LEADING));
    assertThat(config.predicting(PredictionType.SAMPLE).predictionType())
        .isEqualTo(PredictionType.SAMPLE);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'thresholding': true} | thresholding = true",
        "{'trained_betas': [0.1]} | trained_betas = [0.1]",
        "{'rescale_betas_zero_snr': true} | rescale_betas_zero_snr = true",
        "{'_class_name': 'EulerDiscreteScheduler'} | EulerDiscreteScheduler",
        "{'beta_schedule': 'sigmoid'} | beta_schedule = \"sigmoid\"",
        "{'beta_start': 0.5} | beta_end = 0.02: must be from beta_start",
        "{'solver_order': 2} | solver_order = 2",
      })
  void refusesWhatItDoesNotDoByName(String json, String message) {
    assertThatThrownBy(() -> SchedulerConfig.fromJson(json.replace('\'', '"')))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }
}
