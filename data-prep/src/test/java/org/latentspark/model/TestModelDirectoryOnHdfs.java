package org.latentspark.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.File;
import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.hdfs.HdfsConfiguration;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.InputException;
import org.latentspark.tensor.SafetensorsType;

/** Writes and reads model directories in a real HDFS of one name node and one data node. */
@Tag("slow")
class TestModelDirectoryOnHdfs {
  @TempDir private static File folder;
  private static MiniDFSCluster cluster;
  private static Configuration configuration;

  @BeforeAll
  static void start() throws IOException {
    configuration = new HdfsConfiguration();
    configuration.set(MiniDFSCluster.HDFS_MINIDFS_BASEDIR, folder.getAbsolutePath());
    cluster = new MiniDFSCluster.Builder(configuration).numDataNodes(1).build();
    cluster.waitActive();
  }

  @AfterAll
  static void stop() {
    if (cluster != null) {
      cluster.shutdown();
    }
  }

  @Test
  void modelsLoadFromOneFileAndFromSeveral() throws IOException {
    AutoencoderKL model = new AutoencoderKL(AutoencoderKLConfig.fromJson("{}"));
    model.parameters().allocate();
    model.parameters().initialize(5);
    Tensor values = model.parameters().values();
    ModelDirectory directory = directory("vae");
    directory.save(model, ModelDirectory.Layout.DIFFUSERS);
    assertThat(AutoencoderKL.load(directory).parameters().values().equal(values)).isTrue();
    assertThat(directory.fingerprint()).hasSize(64);

    directory.save(
        model, values, ModelDirectory.Layout.DIFFUSERS, SafetensorsType.F32, values.numel());
    assertThat(cluster.getFileSystem().listStatus(directory.path())).hasSizeGreaterThan(4);
    assertThat(AutoencoderKL.load(directory).parameters().values().equal(values)).isTrue();
  }

  @Test
  void tokenizersLoad() throws IOException {
    Path tokenizer = new Path(root(), "tokenizer");
    cluster
        .getFileSystem()
        .copyFromLocalFile(new Path(ClipCaptions.FOLDER.resolve("tokenizer").toUri()), tokenizer);
    assertThat(ClipTokenizer.load(tokenizer, configuration).encode("green apple"))
        .isEqualTo(
            ClipTokenizer.load(ClipCaptions.FOLDER.resolve("tokenizer")).encode("green apple"));
  }

  @Test
  void whatIsNotThereIsNamed() {
    assertThatThrownBy(() -> AutoencoderKL.load(directory("nothing")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("hdfs://")
        .hasMessageContaining("nothing/config.json");
  }

  private static ModelDirectory directory(String name) throws IOException {
    return new ModelDirectory(new Path(root(), name), configuration);
  }

  private static Path root() throws IOException {
    return new Path(cluster.getURI().toString(), "/models");
  }
}
