package org.latentspark.sample;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.Launcher;

class TestSampleJob {
  @TempDir static Path directory;

  @BeforeAll
  static void writeModels() throws IOException {
    TinyModels.encoders(directory.resolve("encoders"));
    TinyModels.checkpoint(directory.resolve("checkpoint"));
  }

  @Test
  void writesAPictureForEachPromptAndAGrid() throws IOException {
    Path prompts =
        Files.writeString(directory.resolve("prompts.txt"), "blue car\n\n Gr\u00fcn! \n");
    Path out = sample("all", "prompts=[red apple, green apple]", "prompts-file=" + prompts);
    try (var files = Files.list(out)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "000-red-apple.png",
              "001-green-apple.png",
              "002-blue-car.png",
              "003-gr-n.png",
              "grid.png",
              "samples.json");
    }
    assertThat(read(out.resolve("000-red-apple.png")).getWidth()).isEqualTo(16);
    assertThat(read(out.resolve("grid.png")).getWidth()).isGreaterThan(4 * 128);
    JsonNode record = new ObjectMapper().readTree(out.resolve("samples.json").toFile());
    assertThat(record.get("images")).hasSize(4);
    assertThat(record.get("images").get(2).get("prompt").asText()).isEqualTo("blue car");
    assertThat(record.get("images").get(2).get("seed").asLong()).isEqualTo(2028);
    assertThat(record.get("config").get("steps").asInt()).isEqualTo(3);
    assertThat(record.get("seconds").asDouble()).isPositive();
  }

  @Test
  void drawsTheSamePictureFromTheSameSeedWhateverElseIsDrawn() throws IOException {
    Path together = sample("together", "prompts=[red apple, green apple]");
    Path alone = sample("alone", "prompts=green apple", "seed=2027");
    assertThat(pixels(together.resolve("001-green-apple.png")))
        .isEqualTo(pixels(alone.resolve("000-green-apple.png")));
    Path batched = sample("batched", "prompts=[red apple, green apple]", "batch-size=1");
    assertThat(pixels(batched.resolve("001-green-apple.png")))
        .isEqualTo(pixels(together.resolve("001-green-apple.png")));
  }

  @Test
  void eachSettingChangesThePicture() throws IOException {
    List<Path> outputs = new ArrayList<>();
    outputs.add(sample("plain", "prompts=red apple"));
    outputs.add(sample("seed", "prompts=red apple", "seed=1"));
    outputs.add(sample("raw", "prompts=red apple", "weights=raw"));
    outputs.add(sample("unguided", "prompts=red apple", "guidance-scale=1"));
    outputs.add(sample("steps", "prompts=red apple", "steps=5"));
    outputs.add(sample("eta", "prompts=red apple", "eta=1"));
    outputs.add(sample("ddpm", "prompts=red apple", "sampler=ddpm"));
    outputs.add(sample("large", "prompts=red apple", "sampler=ddpm", "ddpm.variance=fixed-large"));
    outputs.add(sample("solver", "prompts=red apple", "sampler=dpm-solver++"));
    outputs.add(sample("sde", "prompts=red apple", "sampler=sde-dpm-solver++"));
    outputs.add(sample("trailing", "prompts=red apple", "timestep-spacing=trailing"));
    outputs.add(sample("rescale", "prompts=red apple", "guidance-rescale=1"));
    outputs.add(sample("negative", "prompts=red apple", "negative-prompt=blue car"));
    Path scaled = directory.resolve("scaled");
    TinyModels.checkpoint(scaled);
    TinyModels.scale(scaled, 0.3, 1.7);
    outputs.add(sample("scaled-out", "prompts=red apple", "checkpoint=" + scaled));
    assertThat(outputs.stream().map(out -> pixels(out.resolve("000-red-apple.png"))).distinct())
        .hasSize(outputs.size());
  }

  @Test
  void drawsOtherSizes() throws IOException {
    Path out = sample("wide", "prompts=red apple", "width=24", "height=12");
    BufferedImage picture = read(out.resolve("000-red-apple.png"));
    assertThat(picture.getWidth()).isEqualTo(24);
    assertThat(picture.getHeight()).isEqualTo(12);
  }

  @Test
  void tellsBadInputFromBadUsage() throws IOException {
    assertThat(run("a", "prompts=x", "checkpoint=" + directory.resolve("nowhere"))).isEqualTo(3);
    assertThat(run("b", "prompts=x", "encoders=" + directory.resolve("nowhere"))).isEqualTo(3);
    assertThat(run("c", "prompts-file=" + directory.resolve("nowhere"))).isEqualTo(3);
    assertThat(run("d")).isEqualTo(2);
    assertThat(run("e", "prompts=x", "steps=0")).isEqualTo(2);
    assertThat(run("f", "prompts=x", "steps=1001")).isEqualTo(2);
    assertThat(directory.resolve("f")).doesNotExist();
    assertThat(directory.resolve("d")).doesNotExist();
  }

  private static Path sample(String name, String... arguments) {
    assertThat(run(name, arguments)).isZero();
    return directory.resolve(name);
  }

  private static int run(String name, String... arguments) {
    List<String> all = new ArrayList<>();
    all.add("checkpoint=" + directory.resolve("checkpoint"));
    all.add("encoders=" + directory.resolve("encoders"));
    all.add("output=" + directory.resolve(name));
    all.add("steps=3");
    all.addAll(Arrays.asList(arguments));
    return Launcher.run(new SampleJob(), all.toArray(String[]::new));
  }

  private static BufferedImage read(Path file) throws IOException {
    return ImageIO.read(file.toFile());
  }

  private static List<Integer> pixels(Path file) {
    try {
      BufferedImage image = read(file);
      return Arrays.stream(
              image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth()))
          .boxed()
          .toList();
    } catch (IOException e) {
      throw new AssertionError(file.toString(), e);
    }
  }
}
