package org.latentspark.latents;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.latentspark.cli.InputException;
import org.latentspark.tensor.CompleteFile;
import org.latentspark.tensor.FileSystems;

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
    return FileSystems.of(directory, configuration).exists(new Path(directory, Manifest.FILE_NAME));
  }

  /**
   * Opens the newest version of the dataset in {@code directory}.
   *
   * @throws InputException if there is no manifest, if its format is none that this build reads, or
   *     if a file that it lists is missing or has another length
   */
  public static LatentDataset open(Path directory, Configuration configuration) throws IOException {
    LatentDataset dataset = inspect(directory, configuration);
    dataset.requireFiles();
    return dataset;
  }

  /**
   * Opens version {@code number}, which later versions leave as it was.
   *
   * @throws InputException as {@link #open(Path, Configuration)} does, and if there is no such
   *     version
   */
  public static LatentDataset open(Path directory, int number, Configuration configuration)
      throws IOException {
    LatentDataset dataset = inspect(directory, number, configuration);
    dataset.requireFiles();
    return dataset;
  }

  /** Opens the newest version without a look at its files, which may be damaged. */
  public static LatentDataset inspect(Path directory, Configuration configuration)
      throws IOException {
    try {
      return read(directory, Manifest.FILE_NAME, configuration);
    } catch (FileNotFoundException e) {
      throw new InputException(
          directory + " is not an encoded dataset: it has no " + Manifest.FILE_NAME, e);
    }
  }

  /** Opens version {@code number} without a look at its files. */
  public static LatentDataset inspect(Path directory, int number, Configuration configuration)
      throws IOException {
    LatentDataset newest = inspect(directory, configuration);
    int last = newest.manifest.version();
    if (number == last) {
      return newest;
    }
    try {
      return read(directory, Manifest.fileName(number), configuration);
    } catch (FileNotFoundException e) {
      throw new InputException(
          "%s has no version %d, its newest is %d".formatted(directory, number, last), e);
    }
  }

  private static LatentDataset read(Path directory, String name, Configuration configuration)
      throws IOException {
    Path path = new Path(directory, name);
    byte[] json = CompleteFile.read(path, configuration);
    return new LatentDataset(directory, configuration, parse(path, json), Digests.sha256Hex(json));
  }

  /**
   * Writes the manifest of the dataset in {@code directory}; from here on the dataset, or its new
   * version, exists. The manifest of an earlier version stays, under a name of its own.
   */
  public static void publish(Path directory, Manifest manifest, Configuration configuration)
      throws IOException {
    if (manifest.version() > 1) {
      Path current = new Path(directory, Manifest.FILE_NAME);
      byte[] json = CompleteFile.read(current, configuration);
      String name = Manifest.fileName(parse(current, json).version());
      CompleteFile.write(new Path(directory, name), json, configuration);
    }
    CompleteFile.write(new Path(directory, Manifest.FILE_NAME), manifest.toJson(), configuration);
  }

  /** Returns whether a file of the directory keeps a version that is none of {@code manifest}'s. */
  public static boolean isStaleManifest(String fileName, Manifest manifest) {
    return Manifest.isVersion(fileName)
        && manifest.versions().stream()
            .limit(manifest.versions().size() - 1L)
            .noneMatch(version -> Manifest.fileName(version.number()).equals(fileName));
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
    if (manifest.formatVersion() < Manifest.FORMAT_VERSION
        || manifest.formatVersion() > Manifest.BUCKETS_FORMAT_VERSION) {
      throw new InputException(
          "%s: format version is %d, this build reads versions %d to %d"
              .formatted(
                  path,
                  manifest.formatVersion(),
                  Manifest.FORMAT_VERSION,
                  Manifest.BUCKETS_FORMAT_VERSION));
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

  /** Reads one of the {@link #files()} from end to end and returns what it shows. */
  public FileReport check(DataFile file) throws IOException {
    return FileCheck.data(this, file, configuration);
  }

  /** Reads one of the files of rejected pairs from end to end and returns what it shows. */
  public FileReport checkRejected(DataFile file) throws IOException {
    return FileCheck.rejected(this, file, configuration);
  }

  /**
   * Returns what the manifest says that does not hold, one line each, begun with its file's name.
   *
   * @param reports what {@link #check} and {@link #checkRejected} returned for all files
   */
  public List<String> manifestDamage(Collection<FileReport> reports) {
    return ManifestCheck.damage(manifest, reports);
  }

  /** Returns all damage, one line each; reads everything, one file after the other. */
  public List<String> damage() throws IOException {
    List<FileReport> reports = new ArrayList<>();
    for (DataFile file : manifest.files()) {
      reports.add(check(file));
    }
    for (DataFile file : manifest.rejectedFiles()) {
      reports.add(checkRejected(file));
    }
    List<String> damage = new ArrayList<>(manifestDamage(reports));
    reports.forEach(report -> damage.addAll(report.damage()));
    return damage;
  }

  /**
   * Verifies every file; reads everything.
   *
   * @throws InputException naming all damage
   */
  public void verify() throws IOException {
    List<String> damage = damage();
    if (!damage.isEmpty()) {
      throw new InputException(String.join("\n", damage));
    }
  }

  /** Returns the files of the dataset's folders that its manifest does not list. */
  public List<String> unlisted() throws IOException {
    Set<String> paths = new TreeSet<>();
    for (String folder : List.of(DATA, REJECTED)) {
      paths.addAll(lengths(folder).keySet());
    }
    paths.removeIf(path -> new Path(path).getName().startsWith("."));
    allFiles().forEach(file -> paths.remove(file.path()));
    return List.copyOf(paths);
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
      FileSystem files = FileSystems.of(directory, configuration);
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
