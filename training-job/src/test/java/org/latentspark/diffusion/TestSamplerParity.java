package org.latentspark.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.latentspark.tensor.SafetensorsReader;
import org.latentspark.tensor.Tensors;

/** Compares with what diffusers drew; fixtures/make_sampler_fixtures.py made the files. */
@Tag("parity")
class TestSamplerParity {
  private static final String FOLDER = "src/test/fixtures/samplers/";
  private static final Configuration HADOOP = new Configuration();

  static Stream<Arguments> trajectories() throws IOException {
    return json("trajectories.json").properties().stream()
        .flatMap(
            named ->
                Stream.of(10, 20, 50)
                    .map(steps -> Arguments.of(named.getKey(), steps, named.getValue())));
  }

  @ParameterizedTest(name = "{0}, {1} steps")
  @MethodSource("trajectories")
  void followsTheTrajectoryOfDiffusers(String name, int steps, JsonNode expected)
      throws IOException {
    ObjectNode config = (ObjectNode) expected.get("config");
    if (config.has("trained_betas")) {
      ArrayNode betas = config.putArray("trained_betas");
      Trajectories.trainedBetas().forEach(betas::add);
    }
    NoiseSchedule schedule = new NoiseSchedule(SchedulerConfig.fromJson(config.toString()));
    Sampler sampler = choice(config, expected.path("eta").asDouble()).over(schedule, steps);
    try (PointerScope scope = new PointerScope();
        SafetensorsReader file = fixture("trajectories")) {
      assertThat(sampler.timesteps())
          .containsExactly(ints(expected.get("timesteps").get(Integer.toString(steps))));
      List<Tensor> states = new ArrayList<>();
      Denoiser recording =
          (noised, t) -> {
            Tensor copy = noised.clone();
            copy.retainReference();
            states.add(copy);
            return Trajectories.predict(noised, t);
          };
      states.add(sampler.sample(recording, Trajectories::noise, Tensors.of(new float[1], 1)));
      Tensor reference = file.read(name + "/" + steps);
      for (int fifth = 1; fifth <= 5; fifth++) {
        int index = fifth * steps / 5;
        Tensor difference = states.get(index).sub(reference.select(0, fifth - 1)).abs();
        assertThat(difference.max().item_double()).as("after %d steps", index).isLessThan(1e-4);
      }
      states.subList(0, steps).forEach(Tensor::releaseReference);
    }
  }

  @Test
  void visitsTheStepsOfDiffusers() throws IOException {
    NoiseSchedule schedule = new NoiseSchedule(SchedulerConfig.STABLE_DIFFUSION);
    JsonNode all = json("timesteps.json");
    assertThat(all).hasSize(60);
    all.properties()
        .forEach(
            named -> {
              String[] words = named.getKey().split(" ", -1);
              SamplerChoice choice =
                  words[1].startsWith("DPM")
                      ? DpmSolverOptions.of(DpmSolverOptions.Algorithm.DPM_SOLVER_PLUS_PLUS)
                      : new DdimSampler.Options(0);
              TimestepSpacing spacing = TimestepSpacing.valueOf(words[0].toUpperCase(Locale.ROOT));
              int steps = Integer.parseInt(words[2]);
              assertThat(choice.over(schedule.spaced(spacing), steps).timesteps())
                  .as(named.getKey())
                  .containsExactly(ints(named.getValue()));
            });
  }

  @Test
  void guidesAndRescalesAsDiffusers() throws IOException {
    try (PointerScope scope = new PointerScope();
        SafetensorsReader file = fixture("guidance")) {
      Tensor unconditional = file.read("unconditional");
      Tensor conditional = file.read("conditional");
      assertThat(Guidance.of(7.5).combine(unconditional, conditional).sub(file.read("guided")))
          .satisfies(difference -> assertThat(largest(difference)).isLessThan(1e-5));
      assertThat(
              new Guidance(7.5, 0.7).combine(unconditional, conditional).sub(file.read("rescaled")))
          .satisfies(difference -> assertThat(largest(difference)).isLessThan(1e-5));
    }
  }

  @Test
  void schedulesAndLossWeightsAreThoseOfDiffusers() throws IOException {
    Betas published = SchedulerConfig.STABLE_DIFFUSION.betas();
    try (PointerScope scope = new PointerScope();
        SafetensorsReader file = fixture("schedules")) {
      assertAlphaBars(file, "stable_diffusion", published);
      assertAlphaBars(file, "zero_snr", published.endingWithoutSignal());
      assertAlphaBars(file, "linear", Betas.of(BetaSchedule.LINEAR, 1000, 0.0001, 0.02));
      assertAlphaBars(file, "cosine", Betas.of(BetaSchedule.SQUAREDCOS_CAP_V2, 1000, 1e-4, 0.02));
      assertAlphaBars(file, "trained", Betas.trained(Trajectories.trainedBetas()));
      long[] all = new long[1000];
      for (int t = 0; t < all.length; t++) {
        all[t] = t;
      }
      for (PredictionType type : PredictionType.values()) {
        NoiseSchedule schedule =
            new NoiseSchedule(
                new SchedulerConfig(published, type, 0, false, 1, TimestepSpacing.LEADING));
        Tensor expected = file.read("min_snr." + type.published());
        Tensor actual = schedule.minSnrWeights(Tensors.of(all, all.length), 5);
        assertThat(largest(actual.div(expected).sub(expected.div(expected))))
            .as("min-SNR weights for %s", type)
            .isLessThan(1e-4);
      }
    }
  }

  private static void assertAlphaBars(SafetensorsReader file, String name, Betas betas)
      throws IOException {
    double[] expected = Tensors.doubles(file.read(name + ".alphabar"));
    double[] actual = betas.alphaBars();
    assertThat(actual).hasSameSizeAs(expected);
    for (int t = 0; t < expected.length; t++) {
      assertThat(Math.abs(actual[t] - expected[t]))
          .as("%s, alphabar %d of %s", name, t, expected[t])
          .isLessThanOrEqualTo(1e-8 + 1e-5 * expected[t]);
    }
  }

  private static SamplerChoice choice(JsonNode config, double eta) {
    switch (config.get("_class_name").asText()) {
      case "DDIMScheduler":
        return new DdimSampler.Options(eta);
      case "DDPMScheduler":
        return new DdpmSampler.Options(
            constant(DdpmSampler.Variance.class, config.get("variance_type").asText()));
      default:
        String algorithm = config.get("algorithm_type").asText();
        boolean karras = config.get("use_karras_sigmas").asBoolean();
        return new DpmSolverOptions(
            constant(
                DpmSolverOptions.Algorithm.class,
                algorithm.replace("dpmsolver", "dpm_solver").replace("++", "_plus_plus")),
            config.get("solver_order").asInt(),
            constant(DpmSolverOptions.SolverType.class, config.get("solver_type").asText()),
            karras ? DpmSolverOptions.Sigmas.KARRAS : DpmSolverOptions.Sigmas.SCHEDULE,
            config.get("lower_order_final").asBoolean(),
            config.get("euler_at_final").asBoolean(),
            constant(DpmSolverOptions.FinalSigma.class, config.get("final_sigmas_type").asText()));
    }
  }

  private static <E extends Enum<E>> E constant(Class<E> type, String published) {
    return Enum.valueOf(type, published.replace('-', '_').toUpperCase(Locale.ROOT));
  }

  private static double largest(Tensor tensor) {
    return tensor.abs().max().item_double();
  }

  private static int[] ints(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).mapToInt(JsonNode::asInt).toArray();
  }

  private static JsonNode json(String name) throws IOException {
    return new ObjectMapper().readTree(new File(FOLDER + name));
  }

  private static SafetensorsReader fixture(String name) throws IOException {
    return SafetensorsReader.open(new Path(FOLDER + name + ".safetensors"), HADOOP);
  }
}
