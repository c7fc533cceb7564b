package org.latentspark.pairs;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;

/** The files of a source, sorted by what they hold. */
final class SourceFiles {
  /** Hugging Face's name for a table of the images in its folder and below. */
  private static final String IMAGE_TABLE = "metadata.";

  /** As Spark cuts files. */
  private static final long PIECE = 128 << 20;

  private static final String PARQUET = ".parquet";

  private final SortedMap<Path, SourceFormat> files = new TreeMap<>();
  private final SortedMap<Path, Long> lengths = new TreeMap<>();
  private final Set<Path> imageFolders = new TreeSet<>();

  private SourceFiles() {}

  /**
   * Something that one task reads by itself.
   *
   * @param format how; {@link SourceFormat#IMAGE} stands for a folder of images
   * @param part what of it is wanted
   * @param path the file or folder
   * @param start where in the file the unit begins
   * @param length bytes from there on
   */
  record Unit(SourceFormat format, Part part, String path, long start, long length)
      implements Serializable {

    Unit(SourceFormat format, String path, long length) {
      this(format, Part.PAIRS, path, 0, length);
    }
  }

  /** What of a file is wanted. */
  enum Part {
    PAIRS,
    /** What img2dataset's table says of pairs that are not in the archive or folder beside it. */
    FAILURES
  }

  /**
   * Finds the files that {@code source} names.
   *
   * @param source paths or globs of files, or of folders, which are searched to their bottom
   */
  static SourceFiles find(List<String> source, Configuration configuration) throws IOException {
    SourceFiles found = new SourceFiles();
    for (String glob : source) {
      Path path = new Path(glob);
      FileSystem system = path.getFileSystem(configuration);
      FileStatus[] matches = system.globStatus(path);
      for (FileStatus match : matches == null ? new FileStatus[0] : matches) {
        if (match.isFile() && !isHidden(match.getPath(), path)) {
          found.add(match, SourceFormat.PARQUET);
        } else if (match.isDirectory()) {
          found.addFolder(match.getPath(), system);
        }
      }
    }
    return found;
  }

  /** What begins with a full stop or an underscore is no data, unless it is asked for by name. */
  private static boolean isHidden(Path match, Path asked) {
    return match.getName().matches("[._].*") && !match.getName().equals(asked.getName());
  }

  private void addFolder(Path folder, FileSystem system) throws IOException {
    RemoteIterator<LocatedFileStatus> below = system.listFiles(folder, true);
    while (below.hasNext()) {
      FileStatus file = below.next();
      String relative = folder.toUri().relativize(file.getPath().toUri()).getPath();
      if (!relative.matches("(.*/)?[._].*")) {
        add(file, null);
      }
    }
  }

  /** Adds a file; one of an unknown name counts as {@code otherwise}, or not at all. */
  private void add(FileStatus file, SourceFormat otherwise) {
    Path path = file.getPath();
    SourceFormat format = SourceFormat.of(path.getName()).orElse(otherwise);
    if (format == SourceFormat.IMAGE) {
      imageFolders.add(path.getParent());
    } else if (format != null && !path.getName().endsWith("_stats.json")) {
      files.put(path, format);
      lengths.put(path, file.getLen());
    }
  }

  /** Returns all there is to read, in the order of the paths; large Parquet files in pieces. */
  List<Unit> units() {
    List<Unit> units = new ArrayList<>();
    files.forEach(
        (path, format) -> {
          long length = lengths.get(path);
          if (format == SourceFormat.PARQUET) {
            units.addAll(pieces(path, length));
          } else {
            units.add(new Unit(format, path.toString(), length));
          }
        });
    for (Path folder : imageFolders) {
      if (!hasImageTable(folder)) {
        units.add(new Unit(SourceFormat.IMAGE, folder.toString(), 0));
      }
    }
    return units;
  }

  private List<Unit> pieces(Path table, long length) {
    Part part = isBesideImages(table) ? Part.FAILURES : Part.PAIRS;
    List<Unit> pieces = new ArrayList<>();
    for (long start = 0; start == 0 || start < length; start += PIECE) {
      pieces.add(
          new Unit(
              SourceFormat.PARQUET,
              part,
              table.toString(),
              start,
              Math.min(PIECE, length - start)));
    }
    return pieces;
  }

  private boolean isBesideImages(Path table) {
    String name = table.getName();
    if (!name.endsWith(PARQUET)) {
      return false;
    }
    String shard = name.substring(0, name.length() - PARQUET.length());
    return files.containsKey(new Path(table.getParent(), shard + ".tar"))
        || imageFolders.contains(new Path(table.getParent(), shard));
  }

  /** The images that a table names are the table's, not the folder's. */
  private boolean hasImageTable(Path folder) {
    for (Path above = folder; above != null; above = above.getParent()) {
      Path level = above;
      Optional<Path> table =
          files.tailMap(new Path(level, IMAGE_TABLE)).keySet().stream()
              .findFirst()
              .filter(path -> path.getParent().equals(level))
              .filter(path -> path.getName().startsWith(IMAGE_TABLE));
      if (table.isPresent()) {
        return true;
      }
    }
    return false;
  }
}
