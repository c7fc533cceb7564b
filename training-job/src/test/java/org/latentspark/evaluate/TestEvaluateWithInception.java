package org.latentspark.evaluate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.Launcher;
import org.latentspark.latents.LatentShape;
import org.latentspark.sample.TinyModels;
import org.latentspark.tensor.SafetensorsWriter;
import org.latentspark.train.TinyDataset;

/** The verb with weights in the layout of pytorch-fid's file, made by formula. */
@Tag("slow")
class TestEvaluateWithInception {
  private static final int HELD_OUT = 10;

  @TempDir static Path directory;

  @BeforeAll
  static void write() throws IOException {
    TinyModels.encoders(directory.resolve("encoders"));
    TinyModels.imageEncoder(directory.resolve("encoders"));
    TinyModels.checkpoint(directory.resolve("checkpoint"));
    TinyDataset.write(directory.resolve("dataset"), new LatentShape(4, 8, 8), 8, 4, HELD_OUT, 1, 2);
    InceptionFeatures network = new InceptionFeatures();
    network.parameters().allocate();
    try (PointerScope scope = new PointerScope()) {
      network.parameters().parameters().forEach(TestInceptionFeatures::fill);
      Map<String, Tensor> published = new LinkedHashMap<>();
      network.parameters().parameters().forEach(one -> published.put(one.name(), one.tensor()));
      published.put("fc.bias", torch.zeros(1008));
      save("inception", published);
      published.remove("Mixed_7c.branch1x1.conv.weight");
      save("damaged", published);
    } finally {
      network.parameters().values().close();
    }
  }

  @Test
  void tellsTheDistancesOnItsFeaturesAndKeepsTheReference() throws IOException {
    JsonNode first = evaluate("first");
    for (String figure : List.of("frechet_distance", "kernel_distance", "precision", "recall")) {
      JsonNode found = first.at("/inception/" + figure);
      assertThat(found.path("value").asDouble())
          .as(figure)
          .isBetween(found.path("low").asDouble(), found.path("high").asDouble());
    }
    assertThat(first.at("/inception/frechet_distance/value").asDouble())
        .isPositive()
        .isNotEqualTo(first.at("/frechet_distance/value").asDouble());
    assertThat(first.at("/fingerprints/inception").asText()).hasSize(64);

    Path kept = directory.resolve("kept/inception").resolve(ReferenceFeatures.FEATURES);
    assertThat(kept).isNotEmptyFile();
    FileTime old = FileTime.fromMillis(1_000_000);
    Files.setLastModifiedTime(kept, old);
    JsonNode second = evaluate("second");
    assertThat(second.get("inception")).isEqualTo(first.get("inception"));
    assertThat(Files.getLastModifiedTime(kept)).as("not written again").isEqualTo(old);
  }

  @Test
  void refusesWhatIsNotItsWeightsBeforeWork() {
    assertThat(run("a", "inception=" + directory.resolve("nowhere"))).isEqualTo(3);
    assertThat(run("b", "inception=" + directory.resolve("damaged"))).isEqualTo(3);
    assertThat(directory.resolve("a")).doesNotExist();
    assertThat(directory.resolve("b")).doesNotExist();
  }

  private static void save(String name, Map<String, Tensor> tensors) throws IOException {
    Path folder = Files.createDirectories(directory.resolve(name));
    try (OutputStream out = Files.newOutputStream(folder.resolve("model.safetensors"))) {
      SafetensorsWriter.write(out, tensors);
    }
  }

  private static JsonNode evaluate(String name) throws IOException {
    assertThat(run(name, "inception=" + directory.resolve("inception"))).isZero();
    return new ObjectMapper()
        .readTree(directory.resolve(name).resolve(Evaluation.FILE_NAME).toFile());
  }

  private static int run(String name, String inception) {
    return Launcher.run(
        new EvaluateJob(),
        new String[] {
          "checkpoint=" + directory.resolve("checkpoint"),
          "dataset=" + directory.resolve("dataset"),
          "encoders=" + directory.resolve("encoders"),
          "output=" + directory.resolve(name),
          "reference=" + directory.resolve("kept"),
          "steps=2",
          inception
        });
  }
}
