package org.latentspark.checkpoint;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.latentspark.tensor.FileSystems;

/** The checkpoints of a run: {@code <run>/checkpoints/step-000012000/}. */
public final class Checkpoints {
  private static final Pattern NAME = Pattern.compile("step-\\d{9,}");

  private final Path directory;
  private final FileSystem fileSystem;

  private Checkpoints(Path directory, FileSystem fileSystem) {
    this.directory = directory;
    this.fileSystem = fileSystem;
  }

  /** Opens the checkpoints of the run at {@code run}, which need not exist yet. */
  public static Checkpoints of(Path run, Configuration configuration) throws IOException {
    Path directory = new Path(run, "checkpoints");
    return new Checkpoints(directory, FileSystems.of(directory, configuration));
  }

  /** Returns the directory of the checkpoint after {@code step} steps. */
  public Path at(long step) {
    return new Path(directory, String.format("step-%09d", step));
  }

  /** Returns the directory of the checkpoint with this name. */
  public Path named(String name) {
    return new Path(directory, name);
  }

  /** Returns the newest checkpoint that is complete and whose checksums hold. */
  public Optional<Path> latest() throws IOException {
    List<Path> newestFirst = list();
    Collections.reverse(newestFirst);
    for (Path checkpoint : newestFirst) {
      if (verifies(checkpoint)) {
        return Optional.of(checkpoint);
      }
    }
    return Optional.empty();
  }

  /** Returns all checkpoint directories, complete or not, oldest first. */
  public List<Path> list() throws IOException {
    List<Path> found = new ArrayList<>();
    if (fileSystem.exists(directory)) {
      for (FileStatus status : fileSystem.listStatus(directory)) {
        if (status.isDirectory() && NAME.matcher(status.getPath().getName()).matches()) {
          found.add(status.getPath());
        }
      }
    }
    found.sort(Comparator.comparingLong(Checkpoints::step));
    return found;
  }

  /** Tells whether a checkpoint is complete and undamaged. */
  public boolean verifies(Path checkpoint) throws IOException {
    CheckpointManifest manifest = CheckpointManifest.read(fileSystem, checkpoint);
    return manifest != null && manifest.verifies(fileSystem, checkpoint);
  }

  /** Tells whether a checkpoint is complete; its checksums are not looked at. */
  public boolean isWhole(Path checkpoint) throws IOException {
    return fileSystem.exists(new Path(checkpoint, CheckpointManifest.FILE_NAME));
  }

  /** Removes what stands at {@code checkpoint}, such as the rest of an interrupted write. */
  void clear(Path checkpoint) throws IOException {
    fileSystem.delete(checkpoint, true);
  }

  /** Makes {@code checkpoint} visible by writing its manifest, the last of its files. */
  void publish(Path checkpoint) throws IOException {
    CheckpointManifest.of(fileSystem, checkpoint).write(fileSystem, checkpoint);
  }

  /**
   * Deletes what the checkpoint {@code published} makes needless: all up to it but the newest
   * {@code keep} and those at multiples of milestones.
   *
   * <p>Only published checkpoints count, so that the rest of an interrupted write, or of a newer
   * checkpoint that was found damaged, never pushes out a whole one.
   */
  void prune(Path published, int keep, long milestoneSteps) throws IOException {
    List<Path> newestFirst = list();
    Collections.reverse(newestFirst);
    int whole = 0;
    for (Path checkpoint : newestFirst) {
      long step = step(checkpoint);
      if (step > step(published)) {
        continue;
      }
      Path manifest = new Path(checkpoint, CheckpointManifest.FILE_NAME);
      boolean stays = false;
      if (isWhole(checkpoint)) {
        whole++;
        stays = whole <= keep || milestoneSteps > 0 && step % milestoneSteps == 0;
      }
      if (!stays) {
        // The manifest goes first, so that a half deleted checkpoint is never taken for a whole.
        fileSystem.delete(manifest, false);
        fileSystem.delete(checkpoint, true);
      }
    }
  }

  /** Returns the steps that a checkpoint has behind it, by its name. */
  public static long step(Path checkpoint) {
    return Long.parseLong(checkpoint.getName().substring("step-".length()));
  }
}
