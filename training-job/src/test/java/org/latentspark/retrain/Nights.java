package org.latentspark.retrain;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.latentspark.cli.Launcher;
import org.latentspark.sample.TinyModels;
import org.latentspark.tensor.FileSystems;

/**
 * Pictures, tiny models and the configuration of nights. All but the configuration is under a root
 * on any file system.
 */
final class Nights {
  private static final Duration PATIENCE = Duration.ofMinutes(6);
  private static final String UNET =
      """
      {"sample_size": 8, "in_channels": 4, "out_channels": 4, "block_out_channels": [8, 16],
       "layers_per_block": 1, "norm_num_groups": 4, "attention_head_dim": 2,
       "cross_attention_dim": 12,
       "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
       "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"]}
      """;

  private final Path folder;
  private final String root;
  private final Configuration hadoop;

  private Nights(Path folder, String root, Configuration hadoop) {
    this.folder = folder;
    this.root = root;
    this.hadoop = hadoop;
  }

  /** Makes nights that have all in one folder. */
  static Nights in(Path folder) throws IOException {
    return at(folder.toString(), new Configuration(), folder);
  }

  /** Makes nights at {@code root}, with their configuration in a folder. */
  static Nights at(String root, Configuration hadoop, Path folder) throws IOException {
    Nights nights = new Nights(folder, root, hadoop);
    Path encoders = folder.resolve("encoders");
    TinyModels.encoders(encoders);
    TinyModels.imageEncoder(encoders);
    FileSystem files = FileSystems.of(nights.place("encoders"), hadoop);
    if (!files.exists(nights.place("encoders"))) {
      files.copyFromLocalFile(
          new org.apache.hadoop.fs.Path(encoders.toUri()), nights.place("encoders"));
    }
    Files.writeString(folder.resolve("unet.json"), UNET);
    Files.writeString(
        folder.resolve("prep.conf"),
        """
        source = ["%s"]
        image.size = 16
        validation-share = 0.4
        partitions = 2
        """
            .formatted(root + "/pictures"));
    Files.writeString(
        folder.resolve("train.conf"),
        """
        model = "%s"
        workers = 2
        batch-size = 4
        steps = 60
        precision = fp32
        averaging.frequency = 5
        checkpoint.every-rounds = 4
        learning-rate { peak = 3e-3, warmup-steps = 5 }
        ema.decay = 0.9
        samples.steps = 2
        """
            .formatted(folder.resolve("unet.json")));
    Files.writeString(folder.resolve("evaluate.conf"), "steps = 2, threads = 1");
    return nights;
  }

  /** Adds pictures of one colour with their captions; number {@code index} is always the same. */
  void addPictures(int from, int to) throws IOException {
    for (int index = from; index < to; index++) {
      Random random = new Random(20261123L + index);
      BufferedImage picture = new BufferedImage(24, 24, BufferedImage.TYPE_INT_RGB);
      Graphics2D graphics = picture.createGraphics();
      graphics.setColor(new Color(random.nextInt(0x1000000)));
      graphics.fillRect(0, 0, 24, 24);
      graphics.setColor(new Color(random.nextInt(0x1000000)));
      graphics.fillOval(random.nextInt(12), random.nextInt(12), 12, 12);
      graphics.dispose();
      String name = "picture-%03d".formatted(index);
      ByteArrayOutputStream png = new ByteArrayOutputStream();
      ImageIO.write(picture, "png", png);
      write(name + ".png", png.toByteArray());
      write(name + ".txt", ("apple number " + index).getBytes(StandardCharsets.UTF_8));
    }
  }

  private void write(String name, byte[] bytes) throws IOException {
    org.apache.hadoop.fs.Path file = place("pictures/" + name);
    try (OutputStream out = FileSystems.of(file, hadoop).create(file)) {
      out.write(bytes);
    }
  }

  /** Returns a path under the root. */
  org.apache.hadoop.fs.Path place(String path) {
    return new org.apache.hadoop.fs.Path(root, path);
  }

  int run(String night, String... overrides) {
    return Launcher.run(new RetrainJob(), arguments(night, overrides));
  }

  String[] arguments(String night, String... overrides) {
    return Stream.concat(
            Stream.of(
                "models=" + place(night + "/models"),
                "dataset=" + place(night + "/dataset"),
                "encoders=" + place("encoders"),
                "prep-conf=" + folder.resolve("prep.conf"),
                "train-conf=" + folder.resolve("train.conf"),
                "evaluate-conf=" + folder.resolve("evaluate.conf")),
            Stream.of(overrides))
        .toArray(String[]::new);
  }

  /** Returns the models' directory on this machine's disk. */
  Path models(String night) {
    return folder.resolve(night).resolve("models");
  }

  Registry registry(String night) throws IOException {
    return Registry.read(place(night + "/models"), hadoop);
  }

  /** Returns the registry without the times of day and the names of runs. */
  JsonNode timeless(String night) throws IOException {
    JsonNode registry = Registry.JSON.valueToTree(registry(night));
    registry
        .get("models")
        .forEach(model -> ((ObjectNode) model).remove(List.of("finished", "run")));
    registry.get("history").forEach(change -> ((ObjectNode) change).remove("at"));
    return registry;
  }

  /** Runs the verb in a process of its own until something is there, and kills it then. */
  void killOnce(String night, String what, BooleanSupplier there) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(List.of("-Dspark.ui.enabled=false", "-Dspark.master=local[2]", "-cp"));
    command.add(System.getProperty("java.class.path"));
    command.add(RetrainJob.class.getName());
    command.addAll(List.of(arguments(night)));
    Path log = folder.resolve(night + "-" + what.replace(' ', '-') + ".log");
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    try {
      long end = System.nanoTime() + PATIENCE.toNanos();
      while (!there.getAsBoolean()) {
        assertThat(process.isAlive())
            .as("run to be killed %s is alive:%n%s", what, Files.readString(log))
            .isTrue();
        assertThat(System.nanoTime()).as("deadline: %s", what).isLessThan(end);
        Thread.sleep(1);
      }
    } finally {
      process.destroyForcibly().waitFor();
    }
    assertThat(process.exitValue()).as("exit code of a process killed with -9").isEqualTo(137);
  }
}
