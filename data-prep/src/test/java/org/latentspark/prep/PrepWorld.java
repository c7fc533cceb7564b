package org.latentspark.prep;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.latentspark.cli.Settings;
import org.latentspark.image.Images;
import org.latentspark.image.TortureServer;
import org.latentspark.latents.DataFile;
import org.latentspark.latents.EncodedPair;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.Manifest;
import org.latentspark.latents.RejectedPair;

/** A web server with pictures, tiny encoders, and what reads the datasets made of them. */
final class PrepWorld implements AutoCloseable {
  private final TortureServer server = new TortureServer("127.0.0.1");
  private final Path encoders;

  PrepWorld(Path folder) throws Exception {
    encoders = TinyEncoders.write(folder.resolve("encoders"), 1);
  }

  TortureServer server() {
    return server;
  }

  /** Serves a picture and adds it to {@code rows}. */
  void picture(Metadata rows, int number) {
    String path = "/picture/%d.jpg".formatted(number);
    server.with(path, Images.jpeg(40 + number % 30, 48, number));
    rows.with(server.url(path), "a red apple number " + number);
  }

  int asked(int number) {
    return server.asked("/picture/%d.jpg".formatted(number));
  }

  List<String> arguments(Path source, Object output, String... overrides) {
    List<String> items =
        new ArrayList<>(
            List.of(
                "source=" + source,
                "output=" + output,
                "encoders=" + encoders,
                "image.size=16",
                "batch-size=4",
                "device=cpu",
                "validation-share=0.25",
                "fetch.allow-private-addresses=true",
                "fetch.backoff=20 ms"));
    items.addAll(List.of(overrides));
    return items;
  }

  PrepSettings settings(Path source, Object output, String... overrides) {
    return Settings.load(PrepSettings.REFERENCES, null, arguments(source, output, overrides))
        .read(PrepSettings::read);
  }

  /** Starts a class with this JVM's options and class path. */
  static Process start(Class<?> main, List<String> options, List<String> arguments, Path log)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(options);
    command.add("-Dspark.ui.enabled=false");
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(main.getName());
    command.addAll(arguments);
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(log.toFile())
        .start();
  }

  static List<EncodedPair> pairs(LatentDataset dataset) {
    List<EncodedPair> pairs = new ArrayList<>();
    dataset.files().forEach(file -> dataset.read(file).forEachRemaining(pairs::add));
    return pairs;
  }

  static Set<RejectedPair> rejected(LatentDataset dataset) {
    Set<RejectedPair> pairs = new java.util.HashSet<>();
    dataset
        .manifest()
        .rejectedFiles()
        .forEach(file -> dataset.readRejected(file).forEachRemaining(pairs::add));
    return pairs;
  }

  static LatentDataset open(Path output) throws IOException {
    return LatentDataset.open(new org.apache.hadoop.fs.Path(output.toUri()), new Configuration());
  }

  /** Fails unless {@code output} holds what the manifest lists and nothing else. */
  static void requireNothingElse(Path output, Manifest manifest) throws IOException {
    Set<String> expected =
        Stream.concat(manifest.files().stream(), manifest.rejectedFiles().stream())
            .map(DataFile::path)
            .collect(Collectors.toCollection(TreeSet::new));
    expected.add(Manifest.FILE_NAME);
    manifest
        .versions()
        .forEach(version -> expected.add("stats/version-%06d.jsonl".formatted(version.number())));
    for (int number = 1; number < manifest.version(); number++) {
      expected.add("manifest-%06d.json".formatted(number));
    }
    assertThat(files(output)).isEqualTo(expected);
  }

  static Set<String> files(Path output) throws IOException {
    try (Stream<Path> files = Files.walk(output)) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> output.relativize(file).toString())
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
