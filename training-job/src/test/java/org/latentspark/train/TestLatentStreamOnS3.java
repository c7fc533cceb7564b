package org.latentspark.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.Split;
import org.latentspark.prep.S3Server;
import org.latentspark.tensor.Natives;

/** Streams a data set from a real S3 server. */
@Tag("slow")
@Timeout(600)
class TestLatentStreamOnS3 {
  private static final int ROWS = 61;
  private static final LatentStream.Limits SMALL = new LatentStream.Limits(8_000, 1);

  @TempDir private Path folder;

  @BeforeAll
  static void load() {
    Natives.load();
  }

  @Test
  @Tag("chaos")
  void givesTheRowsOfADiskAndBearsALostObject() throws Exception {
    Path local = folder.resolve("data");
    TinyDataset.write(local, ROWS, 0, 5, 12);
    List<String> expected = keys(LatentDataset.open(path(local), new Configuration()));
    assertThat(expected).hasSize(2 * ROWS);
    try (S3Server store = S3Server.start(Files.createDirectory(folder.resolve("s3")))) {
      org.apache.hadoop.fs.Path remote =
          new org.apache.hadoop.fs.Path("s3a://" + S3Server.BUCKET + "/data");
      try (FileSystem files = FileSystem.newInstance(remote.toUri(), store.configuration())) {
        files.copyFromLocalFile(path(local), remote);
        LatentDataset dataset = LatentDataset.open(remote, store.configuration());
        assertThat(keys(dataset)).isEqualTo(expected);

        files.delete(new org.apache.hadoop.fs.Path(remote, "data/part-00004.parquet"), false);
        List<String> left = keys(dataset);
        assertThat(left).hasSize(2 * ROWS);
        assertThat(left.stream().distinct().count()).isBetween((long) ROWS - 6, (long) ROWS - 5);
      }
    }
  }

  /** The keys of two epochs. */
  private static List<String> keys(LatentDataset dataset) {
    List<String> keys = new ArrayList<>();
    try (LatentStream stream = LatentStream.open(dataset, Split.TRAIN, 0, 1, 3, SMALL)) {
      for (long at = 0; at < 2 * ROWS; at += 2) {
        try (PointerScope scope = new PointerScope()) {
          keys.addAll(stream.batch(at, 2).keys());
        }
      }
    }
    return keys;
  }

  private static org.apache.hadoop.fs.Path path(Path folder) {
    return new org.apache.hadoop.fs.Path(folder.toUri());
  }
}
