package org.latentspark.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import javax.imageio.ImageIO;
import org.apache.hadoop.conf.Configuration;
import org.latentspark.averaging.RoundReport;
import org.latentspark.latents.Bucket;
import org.latentspark.latents.DataFile;
import org.latentspark.latents.Flip;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.LatentShape;
import org.latentspark.latents.Manifest;
import org.latentspark.latents.RejectedPair;
import org.latentspark.latents.RejectedWriter;

/** Writes the files of a run as the jobs leave them. */
final class SyntheticRun {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path directory;
  private final Random random = new Random(5);

  SyntheticRun(Path directory) {
    this.directory = directory;
  }

  /** Serves the page of a run on a free port. */
  static ReportServer served(Path run) throws IOException {
    return ReportServer.start(
        "127.0.0.1",
        0,
        () ->
            Page.of(
                List.of(
                    RunRecord.read(
                        new org.apache.hadoop.fs.Path(run.toUri()),
                        "",
                        List.of(),
                        new Configuration())),
                Page.Use.SERVED));
  }

  /** Writes {@code rounds} reports: 16 examples and 10 steps each, held-out loss every fifth. */
  void metrics(int rounds) throws IOException {
    List<String> lines = new ArrayList<>();
    for (int round = 1; round <= rounds; round++) {
      double loss = 0.2 + 0.8 * Math.exp(-round * 5.0 / rounds);
      RoundReport report =
          new RoundReport(
              round,
              round * 10L,
              round * 320L,
              loss * (1 + 0.1 * random.nextGaussian()),
              0.3 + 0.1 * random.nextDouble(),
              1e-3 * Math.min(1, round / (0.1 * rounds)),
              160 + 4 * random.nextGaussian(),
              0.02,
              0.28,
              0.62,
              0.05,
              0.02,
              1500 + 0.01 * round,
              round % 5 == 1 ? loss : null,
              null);
      lines.add(JSON.writeValueAsString(report));
    }
    Files.createDirectories(directory);
    Files.write(directory.resolve("metrics.jsonl"), lines);
  }

  /** Writes a checkpoint of a U-Net of 30 parameters with a manifest that lists its files. */
  void checkpoint(long step, String dataset, String fingerprint) throws IOException {
    Path checkpoint = directory.resolve("checkpoints/step-%09d".formatted(step));
    String header = "{\"a\":{\"dtype\":\"F32\",\"shape\":[5,6],\"data_offsets\":[0,120]}}";
    byte[] weights = new byte[8 + header.length() + 120];
    weights[0] = (byte) header.length();
    System.arraycopy(header.getBytes("UTF-8"), 0, weights, 8, header.length());
    for (String folder : List.of("unet", "unet_ema")) {
      Files.createDirectories(checkpoint.resolve(folder));
      Files.writeString(checkpoint.resolve(folder + "/config.json"), "{\"sample_size\":16}");
      Files.write(checkpoint.resolve(folder + "/diffusion_pytorch_model.safetensors"), weights);
    }
    ObjectNode state = JSON.createObjectNode();
    state
        .putObject("progress")
        .put("round", step / 10)
        .put("examples", step * 32)
        .put("workers", 2);
    state.put("seed", 2026);
    state.put("dataset", dataset).put("dataset_fingerprint", fingerprint);
    state.put(
        "config", "{\"steps\":\"2000\",\"workers\":2,\"samples\":{\"prompts\":[\"a </script>\"]}}");
    Files.writeString(checkpoint.resolve("trainer_state.json"), state.toString());
    ObjectNode manifest = JSON.createObjectNode().put("formatVersion", 1);
    ObjectNode files = manifest.putObject("files");
    try (var all = Files.walk(checkpoint)) {
      for (Path file : all.filter(Files::isRegularFile).toList()) {
        files
            .putObject(checkpoint.relativize(file).toString())
            .put("bytes", Files.size(file))
            .put("sha256", "not looked at");
      }
    }
    Files.writeString(checkpoint.resolve("checkpoint.json"), manifest.toString());
  }

  /** Writes a grid that tells by its colour how far the run had come. */
  void grid(long step, List<String> prompts) throws IOException {
    Path folder = Files.createDirectories(directory.resolve("samples/step-%09d".formatted(step)));
    BufferedImage grid = new BufferedImage(280, 240, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = grid.createGraphics();
    graphics.setColor(Color.getHSBColor((float) (step / 2000.0 * 0.7), 0.4f, 0.9f));
    graphics.fillRect(0, 0, 280, 240);
    graphics.dispose();
    ImageIO.write(grid, "png", folder.resolve("grid.png").toFile());
    ObjectNode record = JSON.createObjectNode().put("steps", 25).put("guidance_scale", 3.5);
    record.set("prompts", JSON.valueToTree(prompts));
    Files.writeString(folder.resolve("samples.json"), record.toString());
  }

  /** Writes what evaluate leaves, with a Fréchet distance of {@code frechet}. */
  void evaluation(String folder, double frechet) throws IOException {
    ObjectNode json = JSON.createObjectNode().put("checkpoint", "a/step-200").put("pairs", 40);
    for (String figure :
        List.of("validation_loss", "kernel_distance", "precision", "recall", "clip_score")) {
      json.set(figure, interval(0.5, 0.1));
    }
    json.set("frechet_distance", interval(frechet, 1));
    json.putArray("validation_loss_by_timestep")
        .add(interval(0.5, 0.1).put("from", 0).put("to", 124))
        .add(interval(0.25, 0.05).put("from", 125).put("to", 249));
    json.putObject("config").put("sampler", "ddim").put("steps", "50").put("guidance-scale", 3);
    Path place = Files.createDirectories(directory.resolve(folder));
    Files.writeString(place.resolve("evaluation.json"), json.toString());
  }

  /** Writes what the benchmark samplers leaves, with a grid of the first sampler only. */
  void comparison(Path folder) throws IOException {
    ObjectNode json = JSON.createObjectNode().put("checkpoint", "a/step-200").put("pairs", 40);
    ArrayNode samplers = json.putArray("samplers");
    samplers
        .addObject()
        .put("sampler", "ddpm")
        .put("steps", 1000)
        .put("seconds_per_picture", 25.0)
        .put("grid", "ddpm-1000.png")
        .set("frechet_distance", interval(3, 1));
    samplers
        .addObject()
        .put("sampler", "dpm-solver++")
        .put("steps", 20)
        .put("seconds_per_picture", 0.5)
        .put("grid", "gone.png")
        .set("frechet_distance", interval(4, 1));
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("samplers.json"), json.toString());
    ImageIO.write(
        new BufferedImage(60, 20, BufferedImage.TYPE_INT_RGB),
        "png",
        folder.resolve("ddpm-1000.png").toFile());
  }

  private static ObjectNode interval(double value, double width) {
    return JSON.createObjectNode()
        .put("value", value)
        .put("low", value - width)
        .put("high", value + width);
  }

  /** Writes a dataset without data files: only what was rejected. */
  static LatentDataset dataset(Path directory, List<RejectedPair> rejected) throws IOException {
    return dataset(directory, rejected, new TreeMap<>());
  }

  /** Writes one whose manifest tells of files with so many training rows in each bucket. */
  static LatentDataset dataset(
      Path directory, List<RejectedPair> rejected, TreeMap<String, Long> rowsByBucket)
      throws IOException {
    var path = new org.apache.hadoop.fs.Path(directory.toUri());
    Configuration configuration = new Configuration();
    DataFile file;
    try (RejectedWriter writer =
        new RejectedWriter(path, "rejected/part-00000.parquet", configuration)) {
      for (RejectedPair pair : rejected) {
        writer.write(pair);
      }
      file = writer.finish();
    }
    TreeMap<String, Long> reasons = new TreeMap<>();
    rejected.forEach(pair -> reasons.merge(pair.reason(), 1L, Long::sum));
    Manifest manifest =
        new Manifest(
            Manifest.FORMAT,
            rowsByBucket.isEmpty() ? Manifest.FORMAT_VERSION : Manifest.BUCKETS_FORMAT_VERSION,
            "2026-01-02T03:04:05Z",
            new Manifest.Encoders("starter", new TreeMap<>(Map.of("vae", "abc123"))),
            new Manifest.Latent(
                Manifest.Latent.MEAN_STD,
                new LatentShape(4, 16, 16),
                0.25,
                new double[4],
                new double[4],
                rowsByBucket.keySet().stream().map(SyntheticRun::bucket).toList(),
                Flip.NONE),
            new Manifest.Text(32, 64, new byte[0], new int[0]),
            64,
            7,
            0.1,
            rowsByBucket.isEmpty()
                ? List.of()
                : List.of(new DataFile("data/a.parquet", 99, 90, 1, "0", rowsByBucket)),
            List.of(file),
            new Manifest.Accounting(1000, 1000 - rejected.size(), rejected.size(), reasons));
    for (DataFile listed : manifest.files()) {
      Path data = directory.resolve(listed.path());
      Files.createDirectories(data.getParent());
      Files.write(data, new byte[(int) listed.bytes()]);
    }
    LatentDataset.publish(path, manifest, configuration);
    return LatentDataset.open(path, configuration);
  }

  private static Bucket bucket(String code) {
    int width = Integer.parseInt(code.substring(0, code.indexOf('x')));
    int height = Integer.parseInt(code.substring(code.indexOf('x') + 1));
    return new Bucket(width, height, new LatentShape(4, height / 8, width / 8));
  }
}
