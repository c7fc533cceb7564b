package org.latentspark.prep;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.hdfs.HdfsConfiguration;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.Settings;
import org.latentspark.latents.EncodedPair;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.Manifest;

/** Sources of all kinds, named by globs, on HDFS and on an S3 server, beside the same on a disk. */
@Tag("slow")
@Timeout(900)
class TestPrepFromStores {
  private static final Path FIXTURES = Path.of("src", "test", "resources", "img2dataset");
  private static final String URL = "http://127.0.0.1:8917/";
  private static final int TABLES = 150;

  @TempDir static Path folder;
  private static SparkSession spark;
  private static StaticFileServer server;
  private static Path encoders;
  private static Path source;
  private static Manifest expected;
  private static List<EncodedPair> expectedPairs;

  @BeforeAll
  static void start() throws Exception {
    spark =
        SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "2")
            .getOrCreate();
    server = StaticFileServer.start(FIXTURES.resolve("images"), 0);
    encoders = TinyEncoders.write(folder.resolve("encoders"), 1);
    source = Files.createDirectory(folder.resolve("source"));
    for (String format : List.of("webdataset", "parquet", "files")) {
      copy(FIXTURES.resolve(format), source.resolve(format));
    }
    writeTables();
    writePictures();
    expected = run(source.toString(), "expected");
    expectedPairs = PrepWorld.pairs(PrepWorld.open(folder.resolve("expected")));
    // Three that are in all formats, and two pictures that are only named by a table.
    assertThat(expectedPairs).hasSize(5);
    assertThat(expected.accounting().rejectedByReason())
        .containsEntry("bad-url", (long) TABLES)
        .containsKeys("duplicate-url", "missing-image", "not-an-image", "not-found");
  }

  /** Many small tables. */
  private static void writeTables() throws Exception {
    Path tables = Files.createDirectories(source.resolve("tables/deep"));
    for (int number = 0; number < TABLES; number++) {
      Files.writeString(
          tables.resolve("part-%05d.csv".formatted(number)),
          "url,caption\nftp://nowhere/%d,caption %d\n".formatted(number, number));
    }
  }

  /** Images named by a Parquet table that lies above them. */
  private static void writePictures() throws Exception {
    Path pictures = Files.createDirectories(source.resolve("pictures/sub"));
    List<Row> rows = new ArrayList<>();
    for (String name : List.of("one.jpg", "two.jpg")) {
      Files.write(
          pictures.resolve(name), org.latentspark.image.Images.jpeg(40, 50, name.charAt(0)));
      rows.add(RowFactory.create("sub/" + name, "picture " + name, "http://a/" + name));
    }
    rows.add(RowFactory.create("sub/none.jpg", "no picture", "http://a/none.jpg"));
    Path written = folder.resolve("table");
    spark
        .createDataFrame(
            rows,
            new StructType()
                .add("file_name", DataTypes.StringType)
                .add("text", DataTypes.StringType)
                .add("url", DataTypes.StringType))
        .coalesce(1)
        .write()
        .parquet(written.toUri().toString());
    try (var files = Files.list(written)) {
      Path part = files.filter(file -> file.toString().endsWith(".parquet")).findFirst().get();
      Files.copy(part, source.resolve("pictures/metadata.parquet"));
    }
  }

  @AfterAll
  static void stop() {
    server.close();
    spark.stop();
  }

  @Test
  void hdfsGivesTheSameDataset() throws Exception {
    Configuration configuration = new HdfsConfiguration();
    File disk = folder.resolve("hdfs").toFile();
    configuration.set(MiniDFSCluster.HDFS_MINIDFS_BASEDIR, disk.getAbsolutePath());
    try (MiniDFSCluster cluster =
        new MiniDFSCluster.Builder(configuration).numDataNodes(1).build()) {
      cluster.waitActive();
      requireSame(cluster.getURI() + "/data/source", "from-hdfs");
    }
  }

  @Test
  void s3GivesTheSameDataset() throws Exception {
    try (S3Server store = S3Server.start(Files.createDirectory(folder.resolve("s3")))) {
      store.settings().forEach(spark.sparkContext().hadoopConfiguration()::set);
      requireSame("s3a://" + S3Server.BUCKET + "/data/source", "from-s3");
    }
  }

  private static void requireSame(String root, String output) throws Exception {
    org.apache.hadoop.fs.Path target = new org.apache.hadoop.fs.Path(root);
    Configuration configuration = spark.sparkContext().hadoopConfiguration();
    try (FileSystem files = FileSystem.newInstance(target.toUri(), configuration)) {
      files.copyFromLocalFile(new org.apache.hadoop.fs.Path(source.toUri()), target);
    }
    Manifest manifest = run(root, output);
    assertThat(manifest.accounting()).isEqualTo(expected.accounting());
    LatentDataset dataset = PrepWorld.open(folder.resolve(output));
    assertThat(PrepWorld.pairs(dataset)).usingRecursiveComparison().isEqualTo(expectedPairs);
  }

  private static Manifest run(String root, String output) throws Exception {
    List<String> items =
        List.of(
            "source=[\"%1$s/web*/*.tar\", \"%1$s/web*/*.parquet\", \"%1$s/{parquet,files}\","
                    .formatted(root)
                + " \"%1$s/tables/*/part-*.csv\", \"%1$s/pictures\"]".formatted(root),
            "output=" + folder.resolve(output),
            "encoders=" + encoders,
            "image.size=16",
            "batch-size=4",
            "partitions=2",
            "fetch.allow-private-addresses=true",
            "fetch.rewrite-from=" + URL,
            "fetch.rewrite-to=" + server.url());
    return PrepJob.run(
        spark, Settings.load(PrepSettings.REFERENCES, null, items).read(PrepSettings::read));
  }

  private static void copy(Path from, Path to) throws Exception {
    try (var files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(from.relativize(file).toString()));
      }
    }
  }
}
