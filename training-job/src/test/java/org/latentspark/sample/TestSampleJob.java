package org.latentspark.sample;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import org.apache.parquet.example.data.Group;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.Launcher;
import org.latentspark.tensor.Seeds;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

class TestSampleJob {
  @TempDir static Path directory;

  @BeforeAll
  static void writeModels() throws IOException {
    System.setProperty("spark.ui.enabled", "false");
    TinyModels.encoders(directory.resolve("encoders"));
    TinyModels.checkpoint(directory.resolve("checkpoint"));
  }

  @AfterAll
  static void forgetSettings() {
    System.clearProperty("spark.ui.enabled");
  }

  @Test
  void writesAPictureForEachPromptAGridAndARecord() throws IOException {
    Path prompts =
        Files.writeString(directory.resolve("prompts.txt"), "blue car\n\n Gr\u00fcn! \n");
    Path out = sample("all", "prompts=[red apple, green apple]", "prompts-file=" + prompts);
    assertThat(names(out))
        .containsExactlyInAnyOrder("pictures", "record", "grid.png", "samples.json", "plan.json");
    assertThat(names(out.resolve("pictures/00000")))
        .containsExactlyInAnyOrder(
            "0000000-red-apple.png",
            "0000001-green-apple.png",
            "0000002-blue-car.png",
            "0000003-gr-n.png");
    assertThat(read(picture(out, "0000000-red-apple")).getWidth()).isEqualTo(16);
    assertThat(read(out.resolve("grid.png")).getWidth()).isGreaterThan(4 * 128);
    JsonNode json = new ObjectMapper().readTree(out.resolve("samples.json").toFile());
    assertThat(json.get("images")).hasSize(4);
    assertThat(json.get("images").get(2).get("prompt").asText()).isEqualTo("blue car");
    assertThat(json.get("pictures").asInt()).isEqualTo(4);
    assertThat(json.get("made").asInt()).isEqualTo(4);
    assertThat(json.get("config").get("steps").asInt()).isEqualTo(3);
    assertThat(json.get("seconds").asDouble()).isPositive();
    List<Group> rows = PictureRecords.read(out.resolve("record"));
    assertThat(rows).hasSize(4);
    Group third = rows.get(2);
    assertThat(third.getLong("number", 0)).isEqualTo(2);
    assertThat(third.getString("prompt", 0)).isEqualTo("blue car");
    assertThat(third.getString("file", 0)).isEqualTo("pictures/00000/0000002-blue-car.png");
    assertThat(third.getLong("bytes", 0)).isEqualTo(Files.size(picture(out, "0000002-blue-car")));
    assertThat(third.getLong("seed", 0))
        .isEqualTo(json.get("images").get(2).get("seed").asLong())
        .isEqualTo(Seeds.derive(2026, 2, 0) & Long.MAX_VALUE);
  }

  @Test
  void picturesSayHowTheyWereDrawn() throws IOException {
    Path out = sample("told", "prompts=red \u00e4pple", "negative-prompt=blue car", "steps=2");
    Map<String, String> texts = texts(picture(out, "0000000-red-pple"));
    assertThat(texts)
        .containsEntry("prompt", "red \u00e4pple")
        .containsEntry("negative_prompt", "blue car")
        .containsEntry("seed", Long.toString(Seeds.derive(2026, 0, 0) & Long.MAX_VALUE));
    assertThat(texts.get("unet_sha256")).hasSize(64);
    assertThat(new ObjectMapper().readTree(texts.get("parameters")).get("steps").asText())
        .isEqualTo("2");
  }

  @Test
  void aPictureFollowsFromItsSeedPromptAndPlace() throws IOException {
    Path six = sample("six", "prompts=[red apple, green apple]", "count=3");
    assertThat(names(six.resolve("pictures/00000"))).hasSize(6);
    assertThat(
            IntStream.range(0, 6)
                .mapToObj(
                    number ->
                        pixels(
                            picture(
                                six,
                                "000000"
                                    + number
                                    + "-"
                                    + (number < 3 ? "red" : "green")
                                    + "-apple")))
                .distinct())
        .hasSize(6);
    Path longer = sample("longer", "prompts=[red apple, green apple, blue car]", "count=3");
    for (int number = 0; number < 6; number++) {
      String name = "000000" + number + "-" + (number < 3 ? "red" : "green") + "-apple";
      assertThat(picture(longer, name)).hasSameBinaryContentAs(picture(six, name));
    }
    long seed = PictureRecords.read(six.resolve("record")).get(4).getLong("seed", 0);
    Path again =
        Files.writeString(
            directory.resolve("again.csv"), "seed,prompt\n" + seed + ",green apple\n");
    assertThat(pixels(picture(sample("again", "prompts-file=" + again), "0000000-green-apple")))
        .isEqualTo(pixels(picture(six, "0000004-green-apple")));
  }

  @Test
  void rowsMayNameTheirOwnNegativePrompt() throws IOException {
    Path rows =
        Files.writeString(
            directory.resolve("rows.jsonl"),
            """
            {"prompt": "red apple", "seed": 5}
            {"prompt": "red apple", "seed": 5, "negative_prompt": "blue car"}
            {"prompt": "red apple", "seed": 5}
            """);
    Path out = sample("negatives", "prompts-file=" + rows);
    assertThat(pixels(picture(out, "0000001-red-apple")))
        .isNotEqualTo(pixels(picture(out, "0000000-red-apple")));
    assertThat(pixels(picture(out, "0000002-red-apple")))
        .isEqualTo(pixels(picture(out, "0000000-red-apple")));
  }

  @Test
  void makesOnlyWhatIsMissing() throws IOException {
    String prompts = "prompts=[red apple, green apple, blue car, red car, blue apple]";
    Path out = sample("resumed", prompts);
    Path lost = picture(out, "0000004-blue-apple");
    Path kept = picture(out, "0000003-red-car");
    byte[] bytes = Files.readAllBytes(lost);
    Files.delete(lost);
    byte[] others = Files.readAllBytes(picture(out, "0000000-red-apple"));
    Files.write(kept, others);
    Files.writeString(kept.resolveSibling(".0000004-blue-apple.png.half"), "half a picture");
    sample("resumed", prompts);
    assertThat(lost).hasBinaryContent(bytes);
    assertThat(kept).as("a picture that is there").hasBinaryContent(others);
    assertThat(names(out.resolve("pictures/00000"))).hasSize(5);
    JsonNode json = new ObjectMapper().readTree(out.resolve("samples.json").toFile());
    assertThat(json.get("pictures").asInt()).isEqualTo(5);
    assertThat(json.get("made").asInt()).isEqualTo(1);

    assertThat(error("resumed", prompts, "steps=2"))
        .contains("resumed: its pictures are drawn with steps = 3 (now 2)");
    assertThat(run("resumed", prompts, "seed=1")).isEqualTo(2);
    assertThat(run("resumed", "prompts=red apple")).isEqualTo(2);
    assertThat(lost).exists();
    sample("resumed", "prompts=red apple", "existing=replace");
    assertThat(names(out.resolve("pictures/00000"))).containsExactly("0000000-red-apple.png");
    assertThat(PictureRecords.read(out.resolve("record"))).hasSize(1);
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
    assertThat(outputs.stream().map(out -> pixels(picture(out, "0000000-red-apple"))).distinct())
        .hasSize(outputs.size());
  }

  @Test
  void drawsOtherSizes() throws IOException {
    Path out = sample("wide", "prompts=red apple", "width=24", "height=12");
    BufferedImage picture = read(picture(out, "0000000-red-apple"));
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

  @Test
  void refusesByNameBeforeAnyWork() throws IOException {
    Path other = directory.resolve("other-model");
    TinyModels.checkpoint(other);
    Path config = other.resolve("unet_ema/config.json");
    Files.writeString(
        config, Files.readString(config).replace("UNet2DConditionModel", "FluxTransformer2DModel"));
    Path wider = directory.resolve("wider-model");
    TinyModels.checkpoint(wider);
    config = wider.resolve("unet_ema/config.json");
    Files.writeString(
        config, Files.readString(config).replaceAll("(\"layers_per_block\" *: *)1", "$12"));
    Path rows =
        Files.writeString(
            directory.resolve("bad.csv"),
            "prompt,seed\nred apple,1\n   ,2\n" + "x".repeat(10_000) + ",3\n");
    Map<String, String> refused = new LinkedHashMap<>();
    refused.put("prompts=[red apple, \"\"]", "prompts, item 2: the prompt is empty");
    refused.put("prompts=" + "x".repeat(10_000), "has 10000 characters (\"xxxxxxxxxx");
    refused.put("prompts-file=" + rows, "bad.csv, row 2: the prompt is empty");
    refused.put("width=17", "width = 17: must be a multiple of 2");
    refused.put("sampler=euler", "sampler = euler (command line): must be one of");
    refused.put("checkpoint=" + other, "FluxTransformer2DModel");
    refused.put("checkpoint=" + wider, "missing: down_blocks.0.");
    for (Map.Entry<String, String> entry : refused.entrySet()) {
      String[] arguments =
          entry.getKey().startsWith("prompts")
              ? new String[] {entry.getKey()}
              : new String[] {"prompts=red apple", entry.getKey()};
      assertThat(error("refused", arguments)).as(entry.getKey()).contains(entry.getValue());
      assertThat(directory.resolve("refused")).as(entry.getKey()).doesNotExist();
    }
    assertThat(error("refused", "prompts-file=" + rows)).contains("row 3: the prompt has 10000");
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

  /** Returns what a run that is refused says. */
  private static String error(String name, String... arguments) {
    PrintStream before = System.err;
    ByteArrayOutputStream told = new ByteArrayOutputStream();
    System.setErr(new PrintStream(told, true, StandardCharsets.UTF_8));
    try {
      assertThat(run(name, arguments)).isBetween(2, 3);
    } finally {
      System.setErr(before);
    }
    return told.toString(StandardCharsets.UTF_8);
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }

  private static Path picture(Path out, String name) {
    return out.resolve("pictures/00000/" + name + ".png");
  }

  private static Map<String, String> texts(Path picture) throws IOException {
    ImageReader reader = ImageIO.getImageReadersByFormatName("png").next();
    Map<String, String> texts = new LinkedHashMap<>();
    try (ImageInputStream in = ImageIO.createImageInputStream(picture.toFile())) {
      reader.setInput(in);
      Node root = reader.getImageMetadata(0).getAsTree("javax_imageio_png_1.0");
      NodeList entries = ((Element) root).getElementsByTagName("iTXtEntry");
      for (int i = 0; i < entries.getLength(); i++) {
        Element entry = (Element) entries.item(i);
        texts.put(entry.getAttribute("keyword"), entry.getAttribute("text"));
      }
    }
    return texts;
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
