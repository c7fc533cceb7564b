package org.latentspark.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.latentspark.cli.Settings;
import org.latentspark.cli.UsageException;
import org.latentspark.diffusion.DdimSampler;
import org.latentspark.diffusion.DdpmSampler;
import org.latentspark.diffusion.DpmSolverOptions;
import org.latentspark.diffusion.DpmSolverOptions.Algorithm;
import org.latentspark.diffusion.SamplerChoice;

class TestSampleSettings {
  private static final List<String> REFERENCES = new SampleJob().references();

  @Test
  void keepsItsDefaults() {
    assertThat(Settings.defaults(REFERENCES))
        .containsExactlyInAnyOrderEntriesOf(
            Map.ofEntries(
                Map.entry("checkpoint", ""),
                Map.entry("encoders", ""),
                Map.entry("output", ""),
                Map.entry("weights", "ema"),
                Map.entry("prompts", List.of()),
                Map.entry("prompts-file", ""),
                Map.entry("negative-prompt", ""),
                Map.entry("seed", 2026),
                Map.entry("steps", 50),
                Map.entry("sampler", "ddim"),
                Map.entry("eta", 0),
                Map.entry("timestep-spacing", "checkpoint"),
                Map.entry("guidance-scale", 3),
                Map.entry("guidance-rescale", 0),
                Map.entry("ddpm.variance", "fixed-small"),
                Map.entry("dpm-solver.order", 2),
                Map.entry("dpm-solver.type", "midpoint"),
                Map.entry("dpm-solver.sigmas", "schedule"),
                Map.entry("dpm-solver.lower-order-final", true),
                Map.entry("dpm-solver.euler-at-final", false),
                Map.entry("dpm-solver.final-sigma", "auto"),
                Map.entry("width", 0),
                Map.entry("height", 0),
                Map.entry("batch-size", 4),
                Map.entry("precision", "fp32"),
                Map.entry("count", 1),
                Map.entry("existing", "keep"),
                Map.entry("grid.pictures", 48),
                Map.entry("grid.columns", 4),
                Map.entry("grid.tile", 128)));
  }

  @Test
  void readsEveryKey() {
    Settings settings =
        Settings.load(
            REFERENCES,
            null,
            List.of("checkpoint=c", "encoders=e", "output=o", "prompts=[a, b]", "weights=raw"));
    SampleSettings read = settings.read(SampleSettings::read);
    assertThat(settings.unread()).isEmpty();
    assertThat(read.prompts()).containsExactly("a", "b");
    assertThat(read.weights()).isEqualTo(Weights.RAW);
    assertThat(read.draw().batchSize()).isEqualTo(4);
    assertThat(read.draw().sampler()).isEqualTo(new DdimSampler.Options(0));
  }

  @Test
  void choosesTheSampler() {
    assertThat(sampler("sampler=ddim", "eta=0.5")).isEqualTo(new DdimSampler.Options(0.5));
    assertThat(sampler("sampler=ddpm", "ddpm.variance=fixed-large"))
        .isEqualTo(new DdpmSampler.Options(DdpmSampler.Variance.FIXED_LARGE));
    assertThat(sampler("sampler=dpm-solver++"))
        .isEqualTo(DpmSolverOptions.of(Algorithm.DPM_SOLVER_PLUS_PLUS));
    assertThat(sampler("sampler=dpm-solver")).isEqualTo(DpmSolverOptions.of(Algorithm.DPM_SOLVER));
    assertThat(
            sampler(
                "sampler=sde-dpm-solver++",
                "dpm-solver.order=1",
                "dpm-solver.type=heun",
                "dpm-solver.sigmas=karras",
                "dpm-solver.lower-order-final=false",
                "dpm-solver.euler-at-final=true",
                "dpm-solver.final-sigma=sigma-min"))
        .isEqualTo(
            new DpmSolverOptions(
                Algorithm.SDE_DPM_SOLVER_PLUS_PLUS,
                1,
                DpmSolverOptions.SolverType.HEUN,
                DpmSolverOptions.Sigmas.KARRAS,
                false,
                true,
                DpmSolverOptions.FinalSigma.SIGMA_MIN));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "sampler=euler | sampler = euler (command line): must be one of ddim, ddpm, dpm-solver, ",
        "sampler=ddpm eta=0.5 | eta = 0.5 (command line): must be 0 with sampler = ddpm",
        "sampler=dpm-solver++ dpm-solver.order=4 | dpm-solver.order = 4",
        "sampler=sde-dpm-solver++ dpm-solver.order=3 | must be 1 or 2 with sampler = sde-dpm",
        "sampler=dpm-solver dpm-solver.final-sigma=zero | must be auto or sigma-min",
        "guidance-scale=1 guidance-rescale=0.7 | guidance-rescale = 0.7 (command line): must be 0",
        "guidance-rescale=1.5 | guidance-rescale = 1.5",
        "timestep-spacing=even | must be one of checkpoint, leading, linspace, trailing",
      })
  void refusesSamplersByName(String arguments, String message) {
    assertThatThrownBy(() -> sampler(arguments.split(" ", -1)))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining(message);
  }

  private static SamplerChoice sampler(String... arguments) {
    List<String> all =
        new ArrayList<>(List.of("checkpoint=c", "encoders=e", "output=o", "prompts=a"));
    all.addAll(List.of(arguments));
    return Settings.load(REFERENCES, null, all).read(SampleSettings::read).draw().sampler();
  }

  @Test
  void refusesWhatItCannotDraw() {
    assertThatThrownBy(
            () ->
                Settings.load(
                        REFERENCES, null, List.of("guidance-scale=0.5", "eta=2", "weights=best"))
                    .read(SampleSettings::read))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("checkpoint: is required")
        .hasMessageContaining("guidance-scale = 0.5")
        .hasMessageContaining("eta = 2")
        .hasMessageContaining("weights = best (command line)")
        .hasMessageContaining("prompts = []");
  }
}
