package org.latentspark.prep;

import static org.assertj.core.api.Assertions.assertThat;

import com.amazonaws.services.s3.AmazonS3;
import com.amazonaws.services.s3.model.InitiateMultipartUploadRequest;
import com.amazonaws.services.s3.model.ListMultipartUploadsRequest;
import com.amazonaws.services.s3.model.MultipartUpload;
import com.amazonaws.services.s3.model.S3ObjectSummary;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.Launcher;
import org.latentspark.latents.DataFile;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.Manifest;

/** Prep on a standalone cluster of two workers that writes to an S3 server; parts are killed. */
@Tag("slow")
@Tag("chaos")
@Timeout(1800)
class TestPrepOnCluster {
  private static final int PAIRS = 80;
  private static final int SHARDS = 20;
  private static final Duration PATIENCE = Duration.ofMinutes(10);
  private static final String OUTPUT = "s3a://" + S3Server.BUCKET + "/out";

  @TempDir static Path folder;
  private static PrepWorld world;
  private static S3Server store;
  private static StandaloneCluster cluster;
  private static Path source;
  private static LatentDataset undisturbed;

  @BeforeAll
  static void start() throws Exception {
    world = new PrepWorld(folder);
    Metadata rows = new Metadata();
    IntStream.range(0, PAIRS).forEach(number -> world.picture(rows, number));
    rows.with(world.server().url("/missing"), "not there");
    try (SparkSession spark =
        SparkSession.builder()
            .master("local[1]")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "2")
            .getOrCreate()) {
      source = rows.write(spark, folder.resolve("source"));
      Path whole = folder.resolve("whole");
      PrepJob.run(spark, world.settings(source, whole, "partitions=" + SHARDS));
      undisturbed = PrepWorld.open(whole);
    }
    store = S3Server.start(folder);
    cluster = StandaloneCluster.start(Files.createDirectories(folder.resolve("cluster")));
  }

  @AfterAll
  static void stop() throws Exception {
    try (PrepWorld anyWorld = world;
        S3Server anyStore = store) {
      if (cluster != null) {
        cluster.close();
      }
    }
  }

  @Test
  void anExecutorAndTheDriverMayDieAndTheDatasetIsThatOfAnUndisturbedRun() throws Exception {
    AmazonS3 client = store.client();
    Process driver = driver("first");
    try {
      await(driver, () -> journaled(client) >= 2);
      assertThat(cluster.executors()).hasSize(2);
      cluster.executors().get(0).destroyForcibly();
      await(driver, () -> journaled(client) >= 8);
    } finally {
      driver.destroyForcibly().waitFor();
    }
    assertThat(exists(client, "out/" + Manifest.FILE_NAME)).as("a visible dataset").isFalse();
    // What a task leaves that dies within a large file, and another's upload.
    String lost = upload(client, "out/data/part-000001-x.parquet");
    String foreign = upload(client, "out-of-another/file");

    Process second = driver("second");
    try {
      second.waitFor(PATIENCE.toSeconds(), java.util.concurrent.TimeUnit.SECONDS);
    } finally {
      second.destroyForcibly().waitFor();
    }
    String log = Files.readString(folder.resolve("second.log"));
    assertThat(second.exitValue()).as(log).isZero();
    assertThat(log).contains("Going on with the work of an earlier run");

    LatentDataset dataset =
        LatentDataset.open(new org.apache.hadoop.fs.Path(OUTPUT), store.configuration());
    assertThat(dataset.manifest().accounting()).isEqualTo(undisturbed.manifest().accounting());
    assertThat(PrepWorld.pairs(dataset))
        .usingRecursiveComparison()
        .isEqualTo(PrepWorld.pairs(undisturbed));
    assertThat(PrepWorld.rejected(dataset)).isEqualTo(PrepWorld.rejected(undisturbed));
    requireNothingElse(client, dataset.manifest());
    assertThat(uploads(client)).containsExactly(foreign).doesNotContain(lost);

    System.setProperty("spark.ui.enabled", "false");
    store.settings().forEach((key, value) -> System.setProperty("spark.hadoop." + key, value));
    try {
      assertThat(Launcher.run(new VerifyJob(), new String[] {"dataset=" + OUTPUT})).isZero();
    } finally {
      store.settings().keySet().forEach(key -> System.clearProperty("spark.hadoop." + key));
      System.clearProperty("spark.ui.enabled");
    }
  }

  private static Process driver(String name) throws Exception {
    List<String> options = new ArrayList<>(cluster.options());
    options.addAll(store.options());
    options.add("-Dspark.executor.extraClassPath=" + System.getProperty("java.class.path"));
    options.add("-Dspark.executorEnv.OMP_NUM_THREADS=1");
    options.add("-Dspark.sql.shuffle.partitions=2");
    options.add("-Dspark.locality.wait=0");
    // As clusters are set up whose jobs need a committer; this one must live beside it.
    options.add("-Dspark.hadoop.fs.s3a.committer.name=magic");
    options.add("-Dspark.hadoop.fs.s3a.committer.magic.enabled=true");
    return PrepWorld.start(
        PrepJob.class,
        options,
        world.arguments(source, OUTPUT, "partitions=" + SHARDS),
        folder.resolve(name + ".log"));
  }

  private static void await(Process process, BooleanSupplier moment) throws Exception {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!moment.getAsBoolean()) {
      assertThat(process.isAlive()).as(() -> "the run is alive: " + log("first")).isTrue();
      assertThat(System.nanoTime()).as(() -> "deadline: " + log("first")).isLessThan(deadline);
      Thread.sleep(20);
    }
  }

  private static String log(String name) {
    try {
      return Files.readString(folder.resolve(name + ".log"));
    } catch (java.io.IOException e) {
      return e.toString();
    }
  }

  private static long journaled(AmazonS3 client) {
    return client.listObjectsV2(S3Server.BUCKET, "out/_work/shard-").getKeyCount();
  }

  private static boolean exists(AmazonS3 client, String key) {
    return client.doesObjectExist(S3Server.BUCKET, key);
  }

  private static String upload(AmazonS3 client, String key) {
    return client
        .initiateMultipartUpload(new InitiateMultipartUploadRequest(S3Server.BUCKET, key))
        .getUploadId();
  }

  private static List<String> uploads(AmazonS3 client) {
    return client
        .listMultipartUploads(new ListMultipartUploadsRequest(S3Server.BUCKET))
        .getMultipartUploads()
        .stream()
        .map(MultipartUpload::getUploadId)
        .toList();
  }

  private static void requireNothingElse(AmazonS3 client, Manifest manifest) {
    Set<String> expected =
        Stream.concat(manifest.files().stream(), manifest.rejectedFiles().stream())
            .map(DataFile::path)
            .collect(Collectors.toCollection(TreeSet::new));
    expected.add(Manifest.FILE_NAME);
    expected.add("stats/version-000001.jsonl");
    Set<String> objects =
        client.listObjectsV2(S3Server.BUCKET, "out/").getObjectSummaries().stream()
            .map(S3ObjectSummary::getKey)
            .filter(key -> !key.endsWith("/"))
            .map(key -> key.substring("out/".length()))
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(objects).isEqualTo(expected);
  }
}
