package org.latentspark.tensor;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * The files of an output's lease: {@code lease.json}, and for each dead run that somebody followed
 * a claim {@code lease-after-RUN.json}.
 *
 * <p>Each is created once only where the file system can do that (local disks and HDFS), so of many
 * who find a run dead one follows it, however long the others took to find out.
 */
final class LeaseFiles {
  static final String FILE_NAME = "lease.json";
  private static final String CLAIM = "lease-after-";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path directory;
  private final Path lease;
  private final FileSystem fileSystem;
  private final Configuration configuration;
  private final String scheme;

  LeaseFiles(Path directory, FileSystem fileSystem, Configuration configuration) {
    this.directory = directory;
    this.lease = new Path(directory, FILE_NAME);
    this.fileSystem = fileSystem;
    this.configuration = configuration;
    this.scheme = fileSystem.getUri().getScheme();
  }

  Path directory() {
    return lease.getParent();
  }

  /** Tells whether the file system creates a file once only, whoever else tries to. */
  boolean areExclusive() {
    return scheme.equals("file") || scheme.equals("hdfs");
  }

  /** Returns who holds the lease or was the last to claim it after a dead one; null for nobody. */
  LeaseHolder standing() throws IOException {
    LeaseHolder holder = read(lease);
    LeaseHolder follower = holder;
    while (follower != null) {
      holder = follower;
      follower = read(claim(holder));
    }
    return holder;
  }

  /** Writes the lease where there is none; tells whether it did. */
  boolean create(LeaseHolder self) throws IOException {
    return create(lease, self);
  }

  /** Claims to follow a dead run; tells whether nobody else has. */
  boolean claim(LeaseHolder dead, LeaseHolder self) throws IOException {
    return create(claim(dead), self);
  }

  /** Writes the lease over what stands there, in one piece. */
  void replace(LeaseHolder self) throws IOException {
    CompleteFile.write(lease, JSON.writeValueAsBytes(self), configuration);
  }

  /** Removes the lease, the claims that led to it, and what a killed renewal left. */
  void delete() throws IOException {
    for (FileStatus trace : fileSystem.listStatus(directory, LeaseFiles::isTrace)) {
      fileSystem.delete(trace.getPath(), false);
    }
    fileSystem.delete(lease, false);
  }

  private Path claim(LeaseHolder dead) {
    return new Path(directory, CLAIM + dead.run() + ".json");
  }

  private static boolean isTrace(Path path) {
    String name = path.getName();
    return name.startsWith(CLAIM) || CompleteFile.isLeftover(name, FILE_NAME);
  }

  private boolean create(Path file, LeaseHolder self) throws IOException {
    byte[] text = JSON.writeValueAsBytes(self);
    try {
      if (scheme.equals("file")) {
        // Hadoop's local file system looks and then creates; this does both at once.
        Files.write(local(file), text, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
      } else {
        try (OutputStream out = fileSystem.create(file, false)) {
          out.write(text);
        }
      }
      return true;
    } catch (FileAlreadyExistsException | java.nio.file.FileAlreadyExistsException e) {
      return false;
    }
  }

  private LeaseHolder read(Path file) throws IOException {
    try {
      LeaseHolder holder =
          JSON.readValue(CompleteFile.read(file, configuration), LeaseHolder.class);
      return holder.run() == null ? LeaseHolder.UNREADABLE : holder;
    } catch (JsonProcessingException e) {
      return LeaseHolder.UNREADABLE;
    } catch (FileNotFoundException e) {
      return null;
    }
  }

  private static java.nio.file.Path local(Path path) {
    return java.nio.file.Path.of(path.toUri().getPath());
  }
}
