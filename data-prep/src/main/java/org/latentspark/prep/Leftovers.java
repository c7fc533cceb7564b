package org.latentspark.prep;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.CommonPathCapabilities;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.MultipartUploader;
import org.apache.hadoop.fs.Path;
import org.latentspark.latents.DataFile;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.Manifest;
import org.latentspark.tensor.CompleteFile;
import org.latentspark.tensor.FileSystems;

/** What failed attempts, killed runs and replaced datasets leave behind. */
final class Leftovers {
  private static final long PATIENCE_SECONDS = 600;

  private Leftovers() {}

  /** Deletes what {@code manifest} does not need; only files of this job's making. */
  static void sweep(Path output, Manifest manifest, Configuration configuration)
      throws IOException {
    Set<String> listed = new HashSet<>();
    manifest.files().stream().map(DataFile::path).forEach(listed::add);
    manifest.rejectedFiles().stream().map(DataFile::path).forEach(listed::add);
    FileSystem files = FileSystems.of(output, configuration);
    for (String folder : List.of(LatentDataset.DATA, LatentDataset.REJECTED)) {
      for (FileStatus file : list(files, new Path(output, folder))) {
        String name = file.getPath().getName();
        if (ShardFiles.isOurs(name) && !listed.contains(folder + "/" + name)) {
          files.delete(file.getPath(), false);
        }
      }
    }
    for (FileStatus file : list(files, new Path(output, ShardTable.FOLDER))) {
      if (manifest.versions().stream()
          .noneMatch(
              version -> ShardTable.fileName(version.number()).equals(file.getPath().getName()))) {
        files.delete(file.getPath(), false);
      }
    }
    for (FileStatus file : list(files, output)) {
      String name = file.getPath().getName();
      if (LatentDataset.isStaleManifest(name, manifest)
          || CompleteFile.isLeftover(name, Manifest.FILE_NAME)) {
        files.delete(file.getPath(), false);
      }
    }
  }

  /**
   * Ends the uploads to {@code output} that nobody will finish. Only who holds the lease may do so.
   */
  static void abortUploads(Path output, Configuration configuration) throws IOException {
    FileSystem files = FileSystems.of(output, configuration);
    if (!files.hasPathCapability(output, CommonPathCapabilities.FS_MULTIPART_UPLOADER)
        || !files.hasPathCapability(output, CommonPathCapabilities.ABORTABLE_STREAM)) {
      return;
    }
    try (MultipartUploader uploads = files.createMultipartUploader(output).build()) {
      uploads.abortUploadsUnderPath(output).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new IOException(output + ": unfinished uploads could not be aborted", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private static List<FileStatus> list(FileSystem files, Path folder) throws IOException {
    try {
      return List.of(files.listStatus(folder));
    } catch (FileNotFoundException e) {
      return List.of();
    }
  }
}
