package org.latentspark.sample;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.hdfs.HdfsConfiguration;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.Launcher;
import org.latentspark.prep.S3Server;

/** Prompts, models and pictures on a real object store and on a real HDFS. */
@Tag("slow")
@Timeout(900)
class TestSampleOnStores {
  private static final String LOST = "pictures/00000/0000001-green-apple.png";

  @TempDir private Path folder;
  private final Set<String> set = new HashSet<>();

  @BeforeEach
  void writeModels() throws Exception {
    property("spark.ui.enabled", "false");
    TinyModels.encoders(folder.resolve("in/encoders"));
    TinyModels.checkpoint(folder.resolve("in/checkpoint"));
    Files.writeString(folder.resolve("in/prompts.txt"), "red apple\ngreen apple\nblue car\n");
  }

  @AfterEach
  void forgetSettings() {
    set.forEach(System::clearProperty);
  }

  @Test
  void onS3() throws Exception {
    try (S3Server store = S3Server.start(Files.createDirectory(folder.resolve("s3")))) {
      for (Map.Entry<String, String> setting : store.configuration()) {
        if (setting.getKey().startsWith("fs.s3a.")) {
          property("spark.hadoop." + setting.getKey(), setting.getValue());
        }
      }
      requireSamePictures("s3a://" + S3Server.BUCKET + "/sample", store.configuration());
    }
  }

  @Test
  void onHdfs() throws Exception {
    Configuration configuration = new HdfsConfiguration();
    configuration.set(
        MiniDFSCluster.HDFS_MINIDFS_BASEDIR, folder.resolve("hdfs").toAbsolutePath().toString());
    try (MiniDFSCluster cluster =
        new MiniDFSCluster.Builder(configuration).numDataNodes(1).build()) {
      cluster.waitActive();
      requireSamePictures(cluster.getURI() + "/sample", configuration);
    }
  }

  /** Draws at {@code root}, loses a picture, goes on, and compares with a local run. */
  private void requireSamePictures(String root, Configuration configuration) throws Exception {
    var store = new org.apache.hadoop.fs.Path(root);
    FileSystem files = store.getFileSystem(configuration);
    files.copyFromLocalFile(new org.apache.hadoop.fs.Path(folder.resolve("in").toUri()), store);
    assertThat(sample(folder.resolve("in").toString(), folder.resolve("out").toString())).isZero();

    assertThat(sample(root, root + "/out")).isZero();
    var lost = new org.apache.hadoop.fs.Path(store, "out/" + LOST);
    assertThat(files.delete(lost, false)).isTrue();
    assertThat(sample(root, root + "/out")).isZero();

    try (InputStream in = files.open(new org.apache.hadoop.fs.Path(store, "out/samples.json"))) {
      JsonNode record = new ObjectMapper().readTree(in);
      assertThat(record.path("pictures").asInt()).isEqualTo(3);
      assertThat(record.path("made").asInt()).isEqualTo(1);
    }
    var pictures = new org.apache.hadoop.fs.Path(store, "out/pictures/00000");
    assertThat(files.listStatus(pictures)).hasSize(3);
    for (String name :
        new String[] {"0000000-red-apple.png", "0000001-green-apple.png", "0000002-blue-car.png"}) {
      try (InputStream in = files.open(new org.apache.hadoop.fs.Path(pictures, name))) {
        assertThat(in.readAllBytes())
            .as(name)
            .isEqualTo(Files.readAllBytes(folder.resolve("out/pictures/00000").resolve(name)));
      }
    }
  }

  private static int sample(String from, String output) {
    return Launcher.run(
        new SampleJob(),
        new String[] {
          "checkpoint=" + from + "/checkpoint",
          "encoders=" + from + "/encoders",
          "prompts-file=" + from + "/prompts.txt",
          "output=" + output,
          "steps=2"
        });
  }

  private void property(String name, String value) {
    System.setProperty(name, value);
    set.add(name);
  }
}
