package org.latentspark.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;

/**
 * The list of a checkpoint's files with their checksums, written last: a directory without it, or
 * with a file that differs, is no checkpoint.
 *
 * @param formatVersion the version of the checkpoint's layout
 * @param files size and SHA-256 by path within the checkpoint
 */
record CheckpointManifest(int formatVersion, SortedMap<String, Entry> files) {
  static final String FILE_NAME = "checkpoint.json";
  private static final int FORMAT_VERSION = 1;
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /** One file of a checkpoint. */
  record Entry(long bytes, String sha256) {}

  /** Lists the files that stand under {@code directory} now. */
  static CheckpointManifest of(FileSystem fileSystem, Path directory) throws IOException {
    SortedMap<String, Entry> files = new TreeMap<>();
    String prefix = fileSystem.makeQualified(directory).toUri().getPath() + "/";
    RemoteIterator<LocatedFileStatus> found = fileSystem.listFiles(directory, true);
    while (found.hasNext()) {
      LocatedFileStatus file = found.next();
      String name = file.getPath().toUri().getPath().substring(prefix.length());
      if (!name.equals(FILE_NAME)) {
        files.put(name, entry(fileSystem, file.getPath(), file.getLen()));
      }
    }
    return new CheckpointManifest(FORMAT_VERSION, files);
  }

  /** Reads the manifest of a checkpoint, or returns null where there is none that can be read. */
  static CheckpointManifest read(FileSystem fileSystem, Path directory) throws IOException {
    Path path = new Path(directory, FILE_NAME);
    if (!fileSystem.exists(path)) {
      return null;
    }
    try (InputStream in = fileSystem.open(path)) {
      return JSON.readValue(in.readAllBytes(), CheckpointManifest.class);
    } catch (com.fasterxml.jackson.core.JacksonException e) {
      return null;
    }
  }

  void write(FileSystem fileSystem, Path directory) throws IOException {
    try (OutputStream out = fileSystem.create(new Path(directory, FILE_NAME), true)) {
      out.write(JSON.writeValueAsBytes(this));
    }
  }

  /** Tells whether every file stands there with its size and checksum. */
  boolean verifies(FileSystem fileSystem, Path directory) throws IOException {
    if (formatVersion != FORMAT_VERSION || files == null) {
      return false;
    }
    for (var file : files.entrySet()) {
      Path path = new Path(directory, file.getKey());
      if (!fileSystem.exists(path)
          || fileSystem.getFileStatus(path).getLen() != file.getValue().bytes()
          || !entry(fileSystem, path, file.getValue().bytes()).equals(file.getValue())) {
        return false;
      }
    }
    return true;
  }

  private static Entry entry(FileSystem fileSystem, Path path, long bytes) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      try (InputStream in = new DigestInputStream(fileSystem.open(path), digest)) {
        in.transferTo(OutputStream.nullOutputStream());
      }
      return new Entry(bytes, HexFormat.of().formatHex(digest.digest()));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java platform has SHA-256", e);
    }
  }
}
