package org.latentspark.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TestSchedulerConfig {
  @Test
  void keepsEverythingThroughItsFile() {
    SchedulerConfig config =
        new SchedulerConfig(
            Betas.of(BetaSchedule.SQUAREDCOS_CAP_V2, 500, 0.001, 0.01).endingWithoutSignal(),
            PredictionType.V_PREDICTION,
            1.5,
            true,
            2,
            TimestepSpacing.TRAILING);
    assertThat(SchedulerConfig.fromJson(config.toJson())).isEqualTo(config);
    assertThat(SchedulerConfig.fromJson(SchedulerConfig.STABLE_DIFFUSION.toJson()))
        .isEqualTo(SchedulerConfig.STABLE_DIFFUSION);
    SchedulerConfig trained =
        new SchedulerConfig(
            Betas.trained(List.of(0.1, 0.2, 0.3)),
            PredictionType.SAMPLE,
            0,
            false,
            0,
            TimestepSpacing.LINSPACE);
    assertThat(SchedulerConfig.fromJson(trained.toJson())).isEqualTo(trained);
  }

  /** What diffusers saves, and the DDIM file that diffusers makes of it. */
  @ParameterizedTest
  @Tag("parity")
  @ValueSource(strings = {"pndm", "ddim", "ddpm", "dpm"})
  void readsAndWritesFilesAsDiffusersDoes(String scheduler) throws IOException {
    ObjectMapper json = new ObjectMapper();
    JsonNode files =
        json.readTree(new File("src/test/fixtures/samplers/configurations.json")).get(scheduler);
    ObjectNode written =
        (ObjectNode) json.readTree(SchedulerConfig.fromJson(files.get("saved").asText()).toJson());
    JsonNode expected = json.readTree(files.get("ddim").asText());
    written.set("_diffusers_version", expected.get("_diffusers_version"));
    assertThat(written.fieldNames())
        .toIterable()
        .allSatisfy(key -> assertThat(written.get(key)).as(key).isEqualTo(expected.get(key)));
    assertThat(written).hasSize(17);
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
                Betas.of(BetaSchedule.LINEAR, 1000, 0.0001, 0.02),
                PredictionType.EPSILON,
                1,
                true,
                0,
                TimestepSpacing.LEADING));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'thresholding': true} | thresholding = true",
        "{'trained_betas': [0.1]} | trained_betas = 1 numbers",
        "{'trained_betas': ['x']} | trained_betas = [\"x\"]",
        "{'variance_type': 'learned_range'} | variance_type = \"learned_range\"",
        "{'steps_offset': 0.5} | steps_offset = 0.5",
        "{'_class_name': 'DPMSolverMultistepScheduler', 'use_flow_sigmas': true} | use_flow_sigmas",
        "{'_class_name': 'DPMSolverMultistepScheduler', 'lambda_min_clipped': -5} | = -5",
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
