package org.latentspark.prep;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.Launcher;
import org.latentspark.latents.Crop;
import org.latentspark.latents.DataFile;
import org.latentspark.latents.EncodedPair;
import org.latentspark.latents.Fp16;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.LatentMoments;
import org.latentspark.latents.LatentShape;
import org.latentspark.latents.LatentWriter;
import org.latentspark.latents.Manifest;
import org.latentspark.latents.RejectedPair;
import org.latentspark.latents.RejectedWriter;
import org.latentspark.latents.Scores;
import org.latentspark.latents.Split;
import org.latentspark.latents.WrittenFile;

@Tag("slow")
@Tag("chaos")
class TestVerifyJob {
  private static final LatentShape SHAPE = new LatentShape(2, 2, 2);
  private static final int FILES = 6;
  private static final int ROWS = 5;

  @TempDir Path folder;

  @Test
  void aSoundDatasetPasses() throws Exception {
    publish(1);
    Outcome outcome = verify();
    assertThat(outcome.code()).as(outcome.text()).isZero();
    assertThat(outcome.text()).contains("is sound: version 1, 7 files");
  }

  @Test
  void everyDamageIsToldWithItsFile() throws Exception {
    publish(Float.NaN);
    flip(folder.resolve("data/1.parquet"));
    Files.delete(folder.resolve("data/2.parquet"));
    byte[] third = Files.readAllBytes(folder.resolve("data/3.parquet"));
    Files.write(folder.resolve("data/3.parquet"), java.util.Arrays.copyOf(third, 300));
    Path manifest = folder.resolve(Manifest.FILE_NAME);
    Files.writeString(
        manifest,
        Files.readString(manifest)
            .replaceFirst("(\"data/4.parquet\",\\s+\"rows\" : )5", "$16")
            .replace("\"not-found\" : 1", "\"forbidden\" : 1"));
    Files.writeString(folder.resolve("data/part-stray.parquet"), "x");

    Outcome outcome = verify();

    assertThat(outcome.code()).isEqualTo(3);
    assertThat(outcome.text())
        .contains("data/0.parquet: pair " + key(0, 0) + ": latent holds NaN")
        .contains("data/1.parquet: sha256 is")
        .contains("data/2.parquet: is missing")
        .contains("data/3.parquet: has 300 bytes, the manifest says " + third.length)
        .contains("data/3.parquet: cannot be read beyond row 0")
        .contains("data/4.parquet: has 5 rows, the manifest says 6")
        .contains("manifest.json: the manifest: encoded is 30, rows of its data files is 31")
        .contains("not in the manifest: data/part-stray.parquet")
        .contains("is damaged:")
        .doesNotContain("data/5.parquet");
  }

  @Test
  void reasonsThatTheFilesDoNotHoldAreTold() throws Exception {
    publish(1);
    Path manifest = folder.resolve(Manifest.FILE_NAME);
    Files.writeString(
        manifest, Files.readString(manifest).replace("\"not-found\" : 1", "\"forbidden\" : 1"));
    assertThat(
            LatentDataset.open(new org.apache.hadoop.fs.Path(folder.toUri()), new Configuration())
                .damage())
        .containsExactly("manifest.json: reasons are {forbidden=1}, the files hold {not-found=1}");
  }

  private record Outcome(int code, String text) {}

  private Outcome verify() {
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    System.setProperty("spark.ui.enabled", "false");
    try (PrintStream capture = new PrintStream(text, true, StandardCharsets.UTF_8)) {
      System.setOut(capture);
      System.setErr(capture);
      int code = Launcher.run(new VerifyJob(), new String[] {"dataset=" + folder});
      return new Outcome(code, text.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(out);
      System.setErr(err);
      System.clearProperty("spark.ui.enabled");
    }
  }

  private static void flip(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 2] ^= 1;
    Files.write(file, bytes);
  }

  private static String key(int file, int row) {
    return "%02x%030x".formatted(file, row);
  }

  /** Writes a dataset whose first latent value of the first row is {@code value}. */
  private void publish(float value) throws IOException {
    org.apache.hadoop.fs.Path directory = new org.apache.hadoop.fs.Path(folder.toUri());
    Configuration hadoop = new Configuration();
    List<DataFile> files = new ArrayList<>();
    LatentMoments moments = LatentMoments.none(SHAPE.channels());
    for (int file = 0; file < FILES; file++) {
      try (LatentWriter writer =
          new LatentWriter(directory, "data/%d.parquet".formatted(file), SHAPE, hadoop)) {
        for (int row = 0; row < ROWS; row++) {
          writer.write(pair(key(file, row), file + row == 0 ? value : 1));
        }
        WrittenFile written = writer.finish();
        files.add(written.file());
        if (file > 0) {
          moments = moments.plus(written.moments());
        }
      }
    }
    DataFile rejected;
    try (RejectedWriter writer = new RejectedWriter(directory, "rejected/0.parquet", hadoop)) {
      writer.write(new RejectedPair("k", "http://127.0.0.1/x", "x", "not-found", "status 404"));
      rejected = writer.finish();
    }
    LatentDataset.publish(
        directory,
        new Manifest(
            Manifest.FORMAT,
            Manifest.FORMAT_VERSION,
            "2026-01-01T00:00:00Z",
            new Manifest.Encoders("none", new TreeMap<>()),
            new Manifest.Latent(Manifest.Latent.MEAN_STD, SHAPE, 1, moments.mean(), moments.std()),
            new Manifest.Text(2, 3, Fp16.toBytes(new float[6]), new int[] {0, 1}),
            16,
            0,
            0.25,
            files,
            List.of(rejected),
            new Manifest.Accounting(
                FILES * ROWS + 1L, FILES * ROWS, 1, new TreeMap<>(Map.of("not-found", 1L)))),
        hadoop);
  }

  private static EncodedPair pair(String key, float value) {
    float[] latent = new float[2 * SHAPE.size()];
    latent[0] = value;
    return new EncodedPair(
        key,
        "caption",
        "http://127.0.0.1/" + key,
        key,
        null,
        16,
        16,
        new Crop(0, 0, 16, 16),
        16,
        16,
        Scores.NONE,
        Split.of(key, 0.25, 0),
        Fp16.toBytes(latent),
        Fp16.toBytes(new float[6]),
        new int[] {0, 1});
  }
}
