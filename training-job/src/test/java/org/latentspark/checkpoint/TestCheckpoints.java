package org.latentspark.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.latentspark.averaging.StateStore;
import org.latentspark.averaging.StateStore.Progress;
import org.latentspark.averaging.StateVectors;
import org.latentspark.averaging.TrainingVectors;
import org.latentspark.cli.InputException;
import org.latentspark.graph.Architecture;
import org.latentspark.graph.TinyUNet;
import org.latentspark.model.TorchModel;
import org.latentspark.tensor.Natives;
import org.latentspark.tensor.Tensors;

class TestCheckpoints {
  private static final long SEED = 20261123;
  private static final Configuration HADOOP = new Configuration();

  @TempDir private Path run;
  private PointerScope scope;
  private TorchModel model;

  @BeforeEach
  void build() {
    Natives.operationThreads(1);
    scope = new PointerScope();
    model = Architecture.UNET.build(TinyUNet.CONFIG);
    model.parameters().allocate();
  }

  @AfterEach
  void release() {
    scope.close();
  }

  @Test
  void holdsWhatDiffusersLoadsAndWhatARunNeeds() throws Exception {
    save(store(5, 0), 20);
    Path checkpoint = run.resolve("checkpoints/step-000000020");
    for (String folder : List.of("unet", "unet_ema")) {
      assertThat(checkpoint.resolve(folder).resolve("diffusion_pytorch_model.safetensors"))
          .isNotEmptyFile();
      assertThat(json(checkpoint.resolve(folder).resolve("config.json")))
          .isEqualTo(new ObjectMapper().readTree(model.configJson()));
    }
    assertThat(checkpoint.resolve("scheduler/scheduler_config.json")).hasContent("{\"a\": 1}");
    JsonNode state = json(checkpoint.resolve("trainer_state.json"));
    assertThat(state.path("progress").path("round").asLong()).isEqualTo(2);
    assertThat(state.path("progress").path("step").asLong()).isEqualTo(20);
    assertThat(state.path("progress").path("examples").asLong()).isEqualTo(160);
    assertThat(state.path("progress").path("workers").asInt()).isEqualTo(2);
    assertThat(state.path("seed").asLong()).isEqualTo(SEED);
    assertThat(state.path("dataset").asText()).isEqualTo("pairs");
    assertThat(json(checkpoint.resolve("checkpoint.json")).path("files").fieldNames())
        .toIterable()
        .containsExactlyInAnyOrder(
            "histograms.json",
            "optimizer.safetensors",
            "scheduler/scheduler_config.json",
            "trainer_state.json",
            "unet/config.json",
            "unet/diffusion_pytorch_model.safetensors",
            "unet_ema/config.json",
            "unet_ema/diffusion_pytorch_model.safetensors");
  }

  @Test
  void restoreGivesTheSameVectorsBitForBit() throws Exception {
    save(store(5, 0), 10);
    TrainingVectors saved = save(store(5, 0), 20);
    TrainingVectors read = StateVectors.zeros(model.parameters().count());
    assertThat(store(5, 0).restore(latest(), model, read).round()).as("rounds").isEqualTo(2);
    assertThat(Tensors.floats(read.average())).containsExactly(Tensors.floats(saved.average()));
    assertThat(Tensors.floats(read.movingAverage()))
        .containsExactly(Tensors.floats(saved.movingAverage()));
    for (Map.Entry<String, Tensor> moment : saved.moments().entrySet()) {
      assertThat(Tensors.floats(read.moments().get(moment.getKey())))
          .as(moment.getKey())
          .containsExactly(Tensors.floats(moment.getValue()));
    }
  }

  @Test
  void runWithoutCheckpointStartsFromItsSeed() throws Exception {
    TrainingVectors read = StateVectors.random(model.parameters().count(), 1);
    assertThat(store(5, 0).restore(StateStore.START, model, read).round()).isZero();
    model.parameters().initialize(SEED);
    float[] start = Tensors.floats(model.parameters().values());
    assertThat(Tensors.floats(read.average())).containsExactly(start);
    assertThat(Tensors.floats(read.movingAverage())).containsExactly(start);
  }

  @Test
  void anotherArchitectureIsRefused() throws Exception {
    save(store(5, 0), 20);
    TorchModel other = Architecture.UNET.build(TinyUNet.CONFIG.replace("[16, 32]", "[16, 16]"));
    other.parameters().allocate();
    TrainingVectors vectors = StateVectors.zeros(other.parameters().count());
    assertThatThrownBy(() -> store(5, 0).restore("step-000000020", other, vectors))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("step-000000020/unet holds another architecture than this run")
        .hasMessageContaining("choose another output");
    assertThat(Tensors.floats(vectors.average())).containsOnly(0);
  }

  @Test
  void modelsOfAnotherPictureSizeHaveTheSameArchitecture() throws Exception {
    TrainingVectors saved = save(store(5, 0), 20);
    String config = TinyUNet.CONFIG.replace("\"sample_size\": 4", "\"sample_size\": 48");
    TorchModel larger = Architecture.UNET.build(config);
    larger.parameters().allocate();
    TrainingVectors vectors = StateVectors.zeros(larger.parameters().count());
    store(5, 0).restore("step-000000020", larger, vectors);
    assertThat(Tensors.floats(vectors.average())).containsExactly(Tensors.floats(saved.average()));
  }

  @Test
  void latestIsTheNewestOfTheWhole() throws Exception {
    assertThat(checkpoints().latest()).isEmpty();
    for (long step : List.of(10, 20, 30)) {
      save(store(5, 0), step);
    }
    assertThat(latest()).isEqualTo("step-000000030");
    Files.delete(run.resolve("checkpoints/step-000000030/checkpoint.json"));
    assertThat(latest()).as("without the manifest of 30").isEqualTo("step-000000020");
    Files.createDirectories(run.resolve("checkpoints/step-000000040/unet"));
    Files.createDirectories(run.resolve("checkpoints/notes"));
    assertThat(latest()).as("beside folders that are no checkpoints").isEqualTo("step-000000020");
  }

  @Tag("chaos")
  @ParameterizedTest
  @ValueSource(
      strings = {
        "unet/diffusion_pytorch_model.safetensors",
        "unet_ema/diffusion_pytorch_model.safetensors",
        "unet/config.json",
        "optimizer.safetensors",
        "trainer_state.json",
        "scheduler/scheduler_config.json"
      })
  void latestPassesOverDamage(String name) throws Exception {
    save(store(5, 0), 10);
    save(store(5, 0), 20);
    Path file = run.resolve("checkpoints/step-000000020").resolve(name);
    byte[] whole = Files.readAllBytes(file);

    Files.write(file, Arrays.copyOf(whole, whole.length - 1));
    assertThat(latest()).as("truncated").isEqualTo("step-000000010");

    byte[] altered = whole.clone();
    altered[whole.length / 2] ^= 1;
    Files.write(file, altered);
    assertThat(latest()).as("one bit altered").isEqualTo("step-000000010");

    Files.delete(file);
    assertThat(latest()).as("deleted").isEqualTo("step-000000010");

    Files.createDirectory(file);
    assertThat(latest()).as("a folder in its place").isEqualTo("step-000000010");

    Files.delete(file);
    Files.write(file, whole);
    assertThat(latest()).as("put back").isEqualTo("step-000000020");
  }

  @Tag("chaos")
  @Test
  void latestPassesOverHalfWrittenManifests() throws Exception {
    save(store(5, 0), 10);
    save(store(5, 0), 20);
    Path manifest = run.resolve("checkpoints/step-000000020/checkpoint.json");
    byte[] whole = Files.readAllBytes(manifest);
    for (int length = 0; length < whole.length; length++) {
      Files.write(manifest, Arrays.copyOf(whole, length));
      assertThat(latest()).as("%s of %s bytes", length, whole.length).isEqualTo("step-000000010");
    }
    for (String text : List.of("null", "{}", "[]", "{\"formatVersion\": 1}", "\0\0\0\0")) {
      Files.writeString(manifest, text);
      assertThat(latest()).as("manifest of %s", text).isEqualTo("step-000000010");
    }
    String another = new String(whole, StandardCharsets.UTF_8);
    Files.writeString(manifest, another.replace("\"formatVersion\" : 1", "\"formatVersion\" : 2"));
    assertThat(latest()).as("another format").isEqualTo("step-000000010");
  }

  @Tag("chaos")
  @Test
  void damagedCheckpointIsWrittenAnew() throws Exception {
    save(store(5, 0), 10);
    save(store(5, 0), 20);
    Path checkpoint = run.resolve("checkpoints/step-000000020");
    Files.delete(checkpoint.resolve("checkpoint.json"));
    Files.writeString(checkpoint.resolve("unet/left-over.bin"), "half");
    TrainingVectors read = StateVectors.zeros(model.parameters().count());
    assertThat(store(5, 0).restore(latest(), model, read).round()).as("rounds").isEqualTo(1);
    save(store(5, 0), 20);
    assertThat(latest()).isEqualTo("step-000000020");
    assertThat(checkpoint.resolve("unet/left-over.bin")).doesNotExist();
  }

  @Test
  void onlyTheNewestAndMilestonesStay() throws Exception {
    for (long step = 10; step <= 70; step += 10) {
      save(store(2, 30), step);
    }
    assertThat(names()).containsExactly("step-000000030", "step-000000060", "step-000000070");
    save(store(1, 0), 80);
    assertThat(names()).as("without milestones").containsExactly("step-000000080");
  }

  @Tag("chaos")
  @Test
  void rubbishNeverPushesOutAWholeCheckpoint() throws Exception {
    save(store(1, 0), 10);
    Files.createDirectories(run.resolve("checkpoints/step-000000015/unet"));
    Files.createDirectories(run.resolve("checkpoints/step-000000030/unet"));
    save(store(1, 0), 20);
    assertThat(latest()).as("beside the rest of a newer one").isEqualTo("step-000000020");
    Files.delete(run.resolve("checkpoints/step-000000020/checkpoint.json"));
    save(store(2, 0), 25);
    save(store(2, 0), 40);
    Files.delete(run.resolve("checkpoints/step-000000040/checkpoint.json"));
    assertThat(latest()).as("second newest of two kept").isEqualTo("step-000000025");
  }

  @Test
  void stepsOfTenDigitsAreNewer() throws Exception {
    save(store(5, 0), 999_999_990);
    save(store(5, 0), 1_000_000_000);
    assertThat(latest()).isEqualTo("step-1000000000");
  }

  private CheckpointStore store(int keep, long milestoneSteps) {
    return new CheckpointStore(
        run.toString(),
        "unet",
        SEED,
        new TreeMap<>(Map.of("scheduler/scheduler_config.json", "{\"a\": 1}")),
        new TreeMap<>(Map.of("dataset", "pairs")),
        keep,
        milestoneSteps,
        StateStore.Writing.BACKGROUND);
  }

  /** Saves random vectors as the state after {@code step} steps, ten a round. */
  private TrainingVectors save(CheckpointStore store, long step) throws IOException {
    TrainingVectors vectors = StateVectors.random(model.parameters().count(), step);
    store.save(model, vectors, new Progress(step / 10, step, step * 8, 2));
    return vectors;
  }

  private Checkpoints checkpoints() throws IOException {
    return Checkpoints.of(new org.apache.hadoop.fs.Path(run.toString()), HADOOP);
  }

  private String latest() throws IOException {
    return checkpoints().latest().orElseThrow().getName();
  }

  private List<String> names() throws IOException {
    try (Stream<Path> found = Files.list(run.resolve("checkpoints"))) {
      return found.map(path -> path.getFileName().toString()).sorted().toList();
    }
  }

  private static JsonNode json(Path path) throws IOException {
    return new ObjectMapper().readTree(path.toFile());
  }
}
