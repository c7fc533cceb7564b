package org.latentspark.latents;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.latentspark.cli.InputException;

/** An encoded dataset: a directory, on any Hadoop file system, with a complete manifest. */
public final class LatentDataset {
  /** The folder of data files. */
  public static final String DATA = "data";

  /** The folder of files of rejected pairs. */
  public static final String REJECTED = "rejected";

  private final Path directory;
  private final Configuration configuration;
  private final Manifest manifest;
  private final String fingerprint;

  private LatentDataset(
      Path directory, Configuration configuration, Manifest manifest, String fingerprint) {
    this.directory = directory;
    this.configuration = configuration;
    this.manifest = manifest;
    this.fingerprint = fingerprint;
  }

  /** Returns whether {@code directory} holds a dataset, that is, a manifest. */
  public static boolean exists(Path directory, Configuration configuration) throws IOException {
    return directory.getFileSystem(configuration).exists(new Path(directory, Manifest.FILE_NAME));
  }

  /**
   * Opens the dataset in {@code directory}.
   *
   * @throws InputException if there is no manifest, if its format is not {@link
   *     Manifest#FORMAT_VERSION}, or if a file that it lists is missing or has another length
   */
  public static LatentDataset open(Path directory, Configuration configuration) throws IOException {
    Path path = new Path(directory, Manifest.FILE_NAME);
    byte[] json;
    try (InputStream stream = directory.getFileSystem(configuration).open(path)) {
      json = stream.readAllBytes();
    } catch (FileNotFoundException e) {
      throw new InputException(
          directory + " is not an encoded dataset: it has no " + Manifest.FILE_NAME, e);
    }
    Manifest manifest = parse(path, json);
    LatentDataset dataset =
        new LatentDataset(directory, configuration, manifest, Digests.sha256Hex(json));
    dataset.requireFiles();
    return dataset;
  }

  /** Writes the manifest of the dataset in {@code directory}; from here on the dataset exists. */
  public static void publish(Path directory, Manifest manifest, Configuration configuration)
      throws IOException {
    FileSystem files = directory.getFileSystem(configuration);
    try (OutputStream out = files.create(new Path(directory, Manifest.FILE_NAME), true)) {
      out.write(manifest.toJson());
    }
  }

  private static Manifest parse(Path path, byte[] json) {
    Manifest manifest;
    try {
      manifest = Manifest.ofJson(json);
    } catch (IOException e) {
      throw new InputException(path + " is not a dataset's manifest: " + e.getMessage(), e);
    }
    if (manifest == null || !Manifest.FORMAT.equals(manifest.format())) {
      throw new InputException(
          "%s: format is %s, must be %s"
              .formatted(path, manifest == null ? null : manifest.format(), Manifest.FORMAT));
    }
    if (manifest.formatVersion() != Manifest.FORMAT_VERSION) {
      throw new InputException(
          "%s: format version is %d, this build reads version %d"
              .formatted(path, manifest.formatVersion(), Manifest.FORMAT_VERSION));
    }
    return manifest;
  }

  /** Returns the directory. */
  public Path directory() {
    return directory;
  }

  /** Returns the manifest. */
  public Manifest manifest() {
    return manifest;
  }

  /** Returns the hex SHA-256 of the manifest; it stands for all data, whose checksums it holds. */
  public String fingerprint() {
    return fingerprint;
  }

  /** Returns the data files in canonical order. */
  public List<DataFile> files() {
    return manifest.files();
  }

  /** Streams all rows of {@code file}, in canonical order. */
  public RowReader<EncodedPair> read(DataFile file) {
    return new RowReader<>(path(file), configuration, PairSchema::toPair, pair -> true);
  }

  /** Streams the rows of {@code split} in {@code file}, in canonical order. */
  public RowReader<EncodedPair> read(DataFile file, Split split) {
    return new RowReader<>(
        path(file), configuration, PairSchema::toPair, pair -> pair.split() == split);
  }

  /** Streams the rows of one of the manifest's {@link Manifest#rejectedFiles()}. */
  public RowReader<RejectedPair> readRejected(DataFile file) {
    return new RowReader<>(path(file), configuration, PairSchema::toRejected, pair -> true);
  }

  /** Returns the SHA-256 checksums that do not hold, one line a file; reads everything. */
  public List<String> damage() throws IOException {
    List<String> damage = new ArrayList<>();
    for (DataFile file : allFiles()) {
      try (InputStream in = directory.getFileSystem(configuration).open(path(file))) {
        String actual = Digests.sha256Hex(in);
        if (!actual.equals(file.sha256())) {
          damage.add(
              "%s: sha256 is %s, the manifest says %s"
                  .formatted(path(file), actual, file.sha256()));
        }
      }
    }
    return damage;
  }

  /**
   * Verifies every file against its checksum; reads everything.
   *
   * @throws InputException naming every file that differs
   */
  public void verify() throws IOException {
    List<String> damage = damage();
    if (!damage.isEmpty()) {
      throw new InputException(String.join("\n", damage));
    }
  }

  private void requireFiles() throws IOException {
    Map<String, Long> lengths = new HashMap<>();
    for (String folder : List.of(DATA, REJECTED)) {
      lengths.putAll(lengths(folder));
    }
    for (DataFile file : allFiles()) {
      Long length = lengths.get(file.path());
      if (length == null) {
        throw new InputException(path(file) + " is missing; the manifest lists it");
      }
      if (length != file.bytes()) {
        throw new InputException(
            "%s has %d bytes, the manifest says %d".formatted(path(file), length, file.bytes()));
      }
    }
  }

  /** One listing a folder: asking for each file would take minutes on an object store. */
  private Map<String, Long> lengths(String folder) throws IOException {
    Map<String, Long> lengths = new HashMap<>();
    try {
      FileSystem files = directory.getFileSystem(configuration);
      for (FileStatus status : files.listStatus(new Path(directory, folder))) {
        lengths.put(folder + "/" + status.getPath().getName(), status.getLen());
      }
    } catch (FileNotFoundException e) {
      return Map.of();
    }
    return lengths;
  }

  private List<DataFile> allFiles() {
    List<DataFile> all = new ArrayList<>(manifest.files());
    all.addAll(manifest.rejectedFiles());
    return all;
  }

  private Path path(DataFile file) {
    return new Path(directory, file.path());
  }
}
